/*
summary = "Share of a day's values of a category field that the reference never saw"
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
-- Window: one day, whichever version answered, against the latest reference that knows the field. n: values of the field.
-- Baseline: the share that new values had even then, by Good and Turing: values that came once. A field of more than a
-- hundred values holds names, addresses or ids, where new ones are ordinary: it is not measured, nor is a field that the
-- reference has not seen.
-- Interval: Wilson.
-- Source: Good (1953), The Population Frequencies of Species and the Estimation of Population Parameters.
WITH
    {step_s:UInt32} AS step,
    past AS
    (
        SELECT
            project, use_case, field, model_version AS its_model, prompt_version AS its_prompt, max(until) AS its_until,
            groupArray(category) AS names, countIf(n = 1) / sum(n) AS once
        FROM reference_windows FINAL
        WHERE kind = 'category' AND segment_name = ''
        GROUP BY ALL
        HAVING length(names) <= 100
    ),
    hours AS
    (
        SELECT project, use_case, field, category, hour, sum(n) AS rows
        FROM input_histogram_1h
        WHERE kind = 'category' AND segment_name = '' AND hour >= {since:DateTime('UTC')} - 86400 AND hour < {until:DateTime('UTC')}
        GROUP BY ALL
    ),
    judged AS
    (
        SELECT
            project, use_case, field, its_model, its_prompt, its_until, once, hour,
            sum(rows) AS seen, sumIf(rows, NOT has(names, category)) AS unseen
        FROM hours INNER JOIN past USING (project, use_case, field)
        GROUP BY ALL
    ),
    slots AS
    (
        SELECT
            * EXCEPT (hour),
            arrayJoin(range(
                greatest(intDiv(toUnixTimestamp(hour) + 3599 + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                least(intDiv(toUnixTimestamp(hour) + 86400, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no
        FROM judged
    ),
    counted AS
    (
        SELECT
            project, use_case, field, its_model, its_prompt, its_until, once, slot_no,
            toDateTime64(slot_no * step, 3, 'UTC') AS slot, sum(seen) AS values_seen, sum(unseen) AS values_new
        FROM slots
        GROUP BY ALL
        HAVING its_until <= slot AND values_seen > 0
        ORDER BY its_until DESC, its_model DESC, its_prompt DESC
        LIMIT 1 BY project, use_case, field, slot_no
    )
SELECT
    project, use_case, field, slot,
    toNullable(values_new / values_seen) AS value,
    toNullable(tocsin_wilson_v1(values_new, values_seen, -1.96)) AS lower,
    toNullable(tocsin_wilson_v1(values_new, values_seen, 1.96)) AS upper,
    toNullable(once) AS baseline,
    toUInt64(values_seen) AS n
FROM counted
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
