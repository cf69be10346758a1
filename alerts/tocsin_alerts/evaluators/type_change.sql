/*
summary = "Share of an hour's values of an input field that are text where it used to be numbers, or the reverse"
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
n        = "UInt64"
*/
-- Window: the last whole hour. Which kind is the stranger says the latest reference, whichever version answered; its share there
-- is the baseline. A field is measured for twelve hours after it last held a stranger, at zero when it holds none.
-- Without a reference nothing is strange.
-- Interval: Wilson.
WITH
    {step_s:UInt32} AS step,
    hours AS
    (
        SELECT project, use_case, field, toUnixTimestamp(hour) AS at, sumIf(n, kind = 'number') AS numbers, sumIf(n, kind = 'category') AS texts
        FROM input_histogram_1h
        WHERE kind IN ('number', 'category') AND segment_name = '' AND hour >= {since:DateTime('UTC')} - 50400 AND hour < {until:DateTime('UTC')}
        GROUP BY project, use_case, field, at
    ),
    past AS
    (
        SELECT
            project, use_case, field, model_version AS its_model, prompt_version AS its_prompt, until,
            arraySum(arraySlice(figures, 1, length(edges))) AS then_numbers, arraySum(figures) AS then_values
        FROM reference_profiles FINAL
        WHERE kind = 'input' AND then_values >= 200
    ),
    present AS
    (
        SELECT
            project, use_case, field, arrayJoin(range(intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1, intDiv(toUnixTimestamp({until:DateTime('UTC')}), step) + 1)) AS slot_no,
            intDiv(slot_no * step, 3600) * 3600 AS whole, groupArray(at) AS ats, groupArray(numbers) AS of_numbers, groupArray(texts) AS of_texts,
            indexOf(ats, whole - 3600) AS place
        FROM hours
        GROUP BY project, use_case, field
        HAVING sum(numbers) > 0 AND sum(texts) > 0 OR (project, use_case, field) IN (SELECT project, use_case, field FROM past)
    ),
    paired AS
    (
        SELECT *, toDateTime64(slot_no * step, 3, 'UTC') AS slot
        FROM present INNER JOIN past USING (project, use_case, field)
        WHERE until <= slot
        ORDER BY until DESC, its_model DESC, its_prompt DESC
        LIMIT 1 BY project, use_case, field, slot_no
    ),
    measured AS
    (
        SELECT *,
            2 * then_numbers >= then_values AS was_number,
            if(was_number, of_texts, of_numbers) AS strangers,
            toFloat64(strangers[place]) AS bad,
            toFloat64(of_numbers[place] + of_texts[place]) AS calls
        FROM paired
        WHERE place > 0
    )
SELECT
    project, use_case, field, slot,
    toNullable(bad / calls) AS value,
    toNullable(tocsin_wilson_v1(bad, calls, -1.96)) AS lower,
    toNullable(tocsin_wilson_v1(bad, calls, 1.96)) AS upper,
    toNullable(if(was_number, then_values - then_numbers, then_numbers) / then_values) AS baseline,
    toUInt64(calls) AS n
FROM measured
WHERE calls > 0 AND arrayExists((a, c) -> c > 0 AND a < whole AND a + 46800 >= whole, ats, strangers)
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
