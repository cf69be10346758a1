/*
summary = "Shares of a day's answers in words that are empty, refused, said before, or in another language"
unit    = "share"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }

[columns]
project        = "LowCardinality(String)"
use_case       = "LowCardinality(String)"
model_version  = "String"
prompt_version = "String"
fault          = "String"
slot           = "DateTime64(3, 'UTC')"
value          = "Nullable(Float64)"
lower          = "Nullable(Float64)"
upper          = "Nullable(Float64)"
baseline       = "Nullable(Float64)"
n              = "UInt64"
*/
-- empty: nothing but white space from a call that did not fail and whose use case answers in words. refusal: tocsin_refusal_v1 finds
-- a phrase of it in the answer's beginning. repeated: the same words were given to more than one call of the day's sample.
-- other_language: not the language that most of the week before was in, as tocsin_answer_language_v1 guesses it; '' counts as none.
-- Window: one day of whole hours that chance picks until they hold 150 calls of the use case (of a larger hour, some), so cost does not grow with traffic.
-- Baseline: the seven days before, every version together. NULL under 50 answers in the window, and under 200 before it.
-- Only what is kept can be looked at: where the capture policy drops answers there are no samples. Interval: Wilson.
WITH
    {step_s:UInt32} AS step,
    -- The end of the first slot: nothing before its window is read.
    (intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1) * step AS first_end,
    chosen AS
    (
        SELECT project, use_case, hour, arrayJoin(range(toUInt8(parts))) AS part
        FROM
        (
            SELECT project, use_case, hour, sum(calls) AS rows, least(64, greatest(1, intDiv(64 * 150, rows))) AS parts,
                sum(rows) OVER (PARTITION BY project, use_case, intDiv(toUnixTimestamp(hour), 86400) ORDER BY cityHash64(toUnixTimestamp(hour) % 86400), hour) AS passed
            FROM ai_calls_1h
            WHERE segment_name = '' AND toUnixTimestamp(hour) >= intDiv(first_end - 691200, 86400) * 86400 AND hour < {until:DateTime('UTC')}
            GROUP BY project, use_case, hour
            HAVING rows > 0
        )
        WHERE passed - rows < 150
    ),
    calls AS
    (
        SELECT
            project, use_case, model_version, prompt_version, toUnixTimestamp(toStartOfHour(started_at, 'UTC')) AS at,
            trimBoth(output_text) AS text, cityHash64(lowerUTF8(substringUTF8(text, 1, 500))) AS words,
            text = '' AS is_empty, tocsin_refusal_v1(text) AS is_refusal, tocsin_answer_language_v1(text) AS language,
            count() OVER (PARTITION BY project, use_case, intDiv(at, 86400), words) > 1 AND NOT is_empty AS is_repeated,
            countIf(NOT is_empty) OVER (PARTITION BY project, use_case) AS worded
        FROM ai_calls
        WHERE (project, use_case, toStartOfHour(started_at, 'UTC'), toUInt8(cityHash64(call_id) % 64)) IN (SELECT project, use_case, hour, part FROM chosen) AND started_at >= toDateTime(intDiv(first_end - 691200, 86400) * 86400, 'UTC') AND started_at < {until:DateTime('UTC')}
            AND error_type = '' AND output_label = '' AND output_value IS NULL AND (served_by != 'fallback' OR is_probe) AND sign = 1
    ),
    slots AS
    (
        SELECT * EXCEPT (text, words),
            arrayJoin(range(
                greatest(intDiv(at + 3599 + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                least(intDiv(at + 691200, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no,
            at + 86400 >= slot_no * step AS is_now
        FROM calls
        WHERE worded > 0
    ),
    versions AS
    (
        SELECT
            project, use_case, model_version, prompt_version, slot_no, is_now, count() AS seen, countIf(is_empty) AS empty,
            countIf(is_refusal) AS refusal, countIf(is_repeated) AS repeated, sumMapIf([language], [toUInt64(1)], language != '') AS spoken
        FROM slots
        GROUP BY project, use_case, model_version, prompt_version, slot_no, is_now
    ),
    whole AS
    (
        SELECT
            project, use_case, slot_no, groupArrayIf((model_version, prompt_version, seen, empty, refusal, repeated, spoken), is_now) AS now,
            toFloat64(sumIf(seen, NOT is_now)) AS rows_before, toFloat64(sumIf(empty, NOT is_now)) AS was_empty,
            toFloat64(sumIf(refusal, NOT is_now)) AS was_refusal, toFloat64(sumIf(repeated, NOT is_now)) AS was_repeated,
            sumMapIf(spoken.1, spoken.2, NOT is_now) AS spoken_before, arrayMax(spoken_before.2) AS most,
            spoken_before.1[indexOf(spoken_before.2, most)] AS usual, toFloat64(arraySum(spoken_before.2) - most) AS was_other
        FROM versions
        GROUP BY project, use_case, slot_no
    ),
    measured AS
    (
        SELECT *,
            version.1 AS model_version, version.2 AS prompt_version, toFloat64(version.3) AS rows, toFloat64(version.4) AS empty,
            toFloat64(version.5) AS refusal, toFloat64(version.6) AS repeated,
            toFloat64(arraySum((name, c) -> if(name != usual, c, 0), version.7.1, version.7.2)) AS other
        FROM whole
        ARRAY JOIN now AS version
    )
SELECT
    project, use_case, model_version, prompt_version, found.1 AS fault, toDateTime64(slot_no * step, 3, 'UTC') AS slot,
    if(rows >= 50, toNullable(found.2 / rows), NULL) AS value,
    if(rows >= 50, toNullable(tocsin_wilson_v1(found.2, rows, -1.96)), NULL) AS lower,
    if(rows >= 50, toNullable(tocsin_wilson_v1(found.2, rows, 1.96)), NULL) AS upper,
    if(rows_before >= 200, toNullable(found.3 / rows_before), NULL) AS baseline,
    toUInt64(rows) AS n
FROM measured
ARRAY JOIN [
    ('empty', empty, was_empty), ('refusal', refusal, was_refusal),
    ('repeated', repeated, was_repeated), ('other_language', other, was_other)
] AS found
WHERE found.1 != 'other_language' OR rows_before >= 200
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
