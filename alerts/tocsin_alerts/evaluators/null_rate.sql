/*
summary = "Share of an hour's calls in which an input field was there but held nothing"
unit    = "share"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }

[columns]
project  = "LowCardinality(String)"
use_case = "LowCardinality(String)"
field    = "LowCardinality(String)"
slot     = "DateTime64(3, 'UTC')"
value    = "Nullable(Float64)"
lower    = "Nullable(Float64)"
upper    = "Nullable(Float64)"
baseline = "Nullable(Float64)"
effect   = "Nullable(Float64)"
n        = "UInt64"
*/
-- Window: the last whole hour. A field is measured for seven days after it last held nothing, at zero when it now holds
-- something. Baseline: its share in the latest reference window, whichever version answered.
-- Interval: Wilson, of as many calls as there are in truth where gaps come in whole hours: by the dispersion of the reference's hours.
-- Effect: for how many hours with calls in a row, up to 168, most of its values have been missing, in terms of the longest such time of
-- the reference: where gaps come in whole hours, it is their length that tells. 0 where the reference has none.
-- Source: McCullagh and Nelder (1989), Generalized Linear Models, section 4.5, for the dispersion.
WITH
    {step_s:UInt32} AS step,
    nulls AS
    (
        SELECT
            project, use_case, field,
            arrayJoin(range(
                greatest(intDiv(toUnixTimestamp(hour) + 3599 + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                least(intDiv(toUnixTimestamp(hour) + 608399, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no,
            intDiv(slot_no * step, 3600) * 3600 AS whole, sumIf(n, toUnixTimestamp(hour) + 3600 = whole) AS bad
        FROM input_histogram_1h
        WHERE kind = 'null' AND segment_name = '' AND hour >= {since:DateTime('UTC')} - 612000 AND hour < {until:DateTime('UTC')}
        GROUP BY ALL
    ),
    traffic AS
    (
        SELECT project, use_case, toUInt64(toUnixTimestamp(hour)) + 3600 AS whole, sum(ai_calls_1h.calls) AS calls
        FROM ai_calls_1h
        WHERE segment_name = '' AND hour >= {since:DateTime('UTC')} - 612000 AND hour < {until:DateTime('UTC')}
        GROUP BY ALL
        HAVING calls > 0
    ),
    answered AS (SELECT project, use_case, arraySort(groupArray(whole)) AS hours_of_calls FROM traffic GROUP BY project, use_case),
    gaps AS
    (
        SELECT project, use_case, field, arraySort(groupArray(whole)) AS hours_of_gaps
        FROM
        (
            SELECT project, use_case, field, toUInt64(toUnixTimestamp(hour)) + 3600 AS whole, sum(h.n) AS missing
            FROM input_histogram_1h AS h
            WHERE kind = 'null' AND segment_name = '' AND hour >= {since:DateTime('UTC')} - 612000 AND hour < {until:DateTime('UTC')}
            GROUP BY project, use_case, field, hour
        ) AS m
        INNER JOIN traffic USING (project, use_case, whole)
        WHERE missing >= 0.5 * calls
        GROUP BY project, use_case, field
    ),
    past AS
    (
        SELECT
            project, use_case, model_version AS its_model, prompt_version AS its_prompt, until, anyIf(p.names, kind = 'null') AS names,
            anyIf(p.figures, kind = 'null') AS figures, anyIf(p.names, kind = 'null_hour') AS gapped, anyIf(p.figures, kind = 'null_hour') AS dispersions,
            anyIf(p.names, kind = 'null_run') AS away, anyIf(p.figures, kind = 'null_run') AS longest
        FROM reference_profiles AS p FINAL
        WHERE kind IN ('null', 'null_hour', 'null_run')
        GROUP BY project, use_case, its_model, its_prompt, until
    ),
    paired AS
    (
        SELECT *, toDateTime64(slot_no * step, 3, 'UTC') AS slot, until <= slot AS known,
            greatest(1., if(known, dispersions[indexOf(gapped, field)], 0.)) AS dispersion,
            arrayReverse(arrayFilter(gap_hour -> gap_hour <= whole AND gap_hour + 604800 > whole, hours_of_gaps)) AS gone,
            arrayReverse(arrayFilter(call_hour -> call_hour <= whole AND call_hour + 604800 > whole, hours_of_calls)) AS back,
            arrayFirstIndex((gap_hour, call_hour) -> gap_hour != call_hour, arrayResize(gone, length(back), 0), back) AS first_held,
            if(first_held = 0, toFloat64(length(back)), first_held - 1.) / if(known, longest[indexOf(away, field)], 0.) AS times_as_long
        FROM nulls INNER JOIN traffic USING (project, use_case, whole) LEFT JOIN answered USING (project, use_case)
            LEFT JOIN gaps USING (project, use_case, field) LEFT JOIN past USING (project, use_case)
        ORDER BY known DESC, until DESC, its_model DESC, its_prompt DESC
        LIMIT 1 BY project, use_case, field, slot_no
    )
SELECT
    project, use_case, field, slot,
    toNullable(bad / calls) AS value,
    toNullable(tocsin_wilson_v1(bad / dispersion, calls / dispersion, -1.96)) AS lower,
    toNullable(tocsin_wilson_v1(bad / dispersion, calls / dispersion, 1.96)) AS upper,
    if(known AND until > 0, figures[indexOf(names, field)], NULL) AS baseline,
    toNullable(if(isFinite(times_as_long), times_as_long, 0)) AS effect,
    toUInt64(calls) AS n
FROM paired
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
