/*
summary = "Share of a day's sure answers that were given to inputs far from everything in the reference"
unit    = "share"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }

[columns]
project        = "LowCardinality(String)"
use_case       = "LowCardinality(String)"
model_version  = "LowCardinality(String)"
prompt_version = "LowCardinality(String)"
slot           = "DateTime64(3, 'UTC')"
value          = "Nullable(Float64)"
lower          = "Nullable(Float64)"
upper          = "Nullable(Float64)"
baseline       = "Nullable(Float64)"
n              = "UInt64"
*/
-- Sure: at least as confident as half of the reference's calls. Far: a number beyond the least or the greatest 2 % bin of its
-- field, a category that the reference lists none of (fields with at most 100 listed), or a prompt half of whose words are unknown.
-- A model that does not know what it has not seen answers such inputs as surely as others.
-- Window: one day of whole hours that chance picks until they hold 500 calls of the use case (of a larger hour, some), so cost does not grow with traffic.
-- Baseline: 0, what a reference is far from itself. NULL under 200 sure answers, or before a reference is frozen.
-- Interval: Wilson.
WITH
    {step_s:UInt32} AS step,
    -- The end of the first slot: nothing before its window is read.
    (intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1) * step AS first_end,
    chosen AS
    (
        SELECT project, use_case, hour, arrayJoin(range(toUInt8(parts))) AS part
        FROM
        (
            SELECT project, use_case, hour, sum(calls) AS rows, least(64, greatest(1, intDiv(64 * 500, rows))) AS parts,
                sum(rows) OVER (PARTITION BY project, use_case, intDiv(toUnixTimestamp(hour), 86400) ORDER BY cityHash64(toUnixTimestamp(hour) % 86400), hour) AS passed
            FROM ai_calls_1h
            WHERE segment_name = '' AND toUnixTimestamp(hour) >= intDiv(first_end - 86400, 86400) * 86400 AND hour < {until:DateTime('UTC')}
            GROUP BY project, use_case, hour
            HAVING rows > 0
        )
        WHERE passed - rows < 500
    ),
    past AS
    (
        SELECT
            project, use_case, model_version AS its_model, prompt_version AS its_prompt, until,
            groupArrayIf((p.field, p.edges[1], p.edges[-1]), kind = 'number' AND n >= 200) AS ranges,
            groupArrayIf((p.field, p.names), kind = 'input' AND notEmpty(p.names) AND length(p.names) <= 100 AND p.figures[-1] = 0 AND n >= 200) AS lists,
            anyIf(p.edges, kind = 'confidence') AS doubts, anyIf(p.figures, kind = 'confidence') AS doubted,
            doubts[1 + arrayFirstIndex(c -> 2 * c >= arraySum(doubted), arrayCumSum(doubted))] AS after_half,
            if(after_half = 0, 32767, after_half) AS doubt_limit
        FROM (SELECT * FROM reference_profiles FINAL WHERE kind IN ('number', 'input', 'confidence')) AS p
        GROUP BY ALL
        HAVING notEmpty(doubts)
    ),
    calls AS
    (
        SELECT
            project, use_case, model_version, prompt_version, tocsin_doubt_bin_v1(assumeNotNull(confidence)) AS doubt, input_numbers, input_strings,
            toUnixTimestamp(toStartOfHour(started_at, 'UTC')) AS at
        FROM ai_calls
        WHERE (project, use_case, toStartOfHour(started_at, 'UTC'), toUInt8(cityHash64(call_id) % 64)) IN (SELECT project, use_case, hour, part FROM chosen) AND started_at >= toDateTime(intDiv(first_end - 86400, 86400) * 86400, 'UTC') AND started_at < {until:DateTime('UTC')}
            AND confidence IS NOT NULL AND (served_by != 'fallback' OR is_probe) AND sign = 1
    ),
    slots AS
    (
        SELECT *,
            arrayJoin(range(
                greatest(intDiv(at + 3599 + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                least(intDiv(at + 86400, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no
        FROM calls
    ),
    known AS
    (
        SELECT *
        FROM (SELECT DISTINCT project, use_case, model_version, prompt_version, slot_no, toDateTime64(slot_no * step, 3, 'UTC') AS slot FROM slots) AS s
            INNER JOIN past USING (project, use_case)
        WHERE until <= slot
        ORDER BY its_model = model_version AND its_prompt = prompt_version DESC, until DESC
        LIMIT 1 BY project, use_case, model_version, prompt_version, slot_no
    ),
    judged AS
    (
        SELECT
            project, use_case, model_version, prompt_version, slot,
            arrayExists(r -> mapContains(input_numbers, r.1) AND (tocsin_bin_v1(input_numbers[r.1]) < r.2 OR tocsin_bin_v1(input_numbers[r.1]) > r.3), ranges)
                OR arrayExists(l -> mapContains(input_strings, l.1) AND NOT has(l.2, if(length(input_strings[l.1]) <= 64, input_strings[l.1], '(long)')), lists)
                OR input_numbers['prompt.unknown_words'] >= 0.5 AS is_far
        FROM slots INNER JOIN known USING (project, use_case, model_version, prompt_version, slot_no)
        WHERE doubt < doubt_limit
    )
SELECT
    project, use_case, model_version, prompt_version, slot,
    if(calls >= 200, toNullable(far / calls), NULL) AS value,
    if(calls >= 200, toNullable(tocsin_wilson_v1(far, calls, -1.96)), NULL) AS lower,
    if(calls >= 200, toNullable(tocsin_wilson_v1(far, calls, 1.96)), NULL) AS upper,
    if(calls >= 200, 0., NULL) AS baseline,
    toUInt64(calls) AS n
FROM (SELECT project, use_case, model_version, prompt_version, slot, toFloat64(count()) AS calls, toFloat64(sum(is_far)) AS far FROM judged GROUP BY ALL)
-- Values as they were are binned here, zero among them: its logarithm must not be taken.
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'enable', do_not_merge_across_partitions_select_final = 1, max_block_size = 8192
