/*
summary = "Accuracy without labels, the latest days counting most (EWMA of daily CBPE, adjusted for the weekday)"
unit    = "share"
window  = "7d"
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
-- Window: the last seven whole days (UTC) before the slot, each counting half as much as the one after it, and less when it
-- has fewer calls than a day of the reference. A day's drop is its weekday's estimate in the reference less its own; value is
-- the baseline less the smoothed drop. It does not depend on who asked before. n: calls of those days.
-- Interval: from how far daily estimates scattered in the reference window itself, one day's nearness to the next included, and
-- how well their level is known. So a stream that wanders has to fall further. NULL without a calibration or fourteen such days.
-- Source: Roberts (1959), Control Chart Tests Based on Geometric Moving Averages; Schmid (1997), On EWMA Charts for Time
-- Series; Białek et al. (2024), Estimating Model Performance Under Covariate Shift Without Labels, which describes CBPE.
WITH
    {step_s:UInt32} AS step,
    0.5 AS lambda,
    days AS
    (
        SELECT
            project, use_case, model_version, prompt_version, day, groupArray(bin) AS doubts, groupArray(rows) AS counts, sum(rows) AS calls
        FROM
        (
            SELECT
                project, use_case, model_version, prompt_version, intDiv(toUnixTimestamp(hour), 86400) AS day, bin, sum(n) AS rows
            FROM input_histogram_1h
            WHERE kind = 'confidence' AND segment_name = '' AND hour >= toStartOfDay({since:DateTime('UTC')}) - 604800 AND hour < {until:DateTime('UTC')}
            GROUP BY ALL
        )
        GROUP BY ALL
        HAVING calls > 0
    ),
    past AS
    (
        SELECT
            c.project AS project, c.use_case AS use_case, c.model_version AS its_model, c.prompt_version AS its_prompt, c.until AS until,
            c.bins AS bins, c.precision AS precision, c.estimate AS then_estimate, d.figures AS figures
        FROM (SELECT * FROM calibrations FINAL) AS c
        INNER JOIN (SELECT * FROM reference_profiles FINAL WHERE kind = 'estimate') AS d USING (project, use_case, model_version, prompt_version)
    ),
    estimated AS
    (
        SELECT
            * EXCEPT (doubts, counts, bins, precision),
            figures[(day + 3) % 7 + 1] - arraySum((c, p) -> c * p, tocsin_bucket_counts_v1(bins, doubts, counts), precision) / calls AS drop,
            least(1., calls / figures[11]) AS fullness
        FROM days INNER JOIN past USING (project, use_case)
    ),
    slots AS
    (
        SELECT
            *,
            arrayJoin(range(
                greatest(intDiv((day + 1) * 86400 + step - 1, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                least(intDiv(toUInt64((day + 8) * 86400 - 1), step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no,
            fullness * pow(1 - lambda, intDiv(slot_no * step, 86400) - day - 1) AS weight
        FROM estimated
    ),
    smoothed AS
    (
        SELECT
            project, use_case, model_version, prompt_version, its_model, its_prompt, until, then_estimate, figures, slot_no,
            toDateTime64(slot_no * step, 3, 'UTC') AS slot, sum(weight * drop) / sum(weight) AS smooth,
            sum(weight * weight) / pow(sum(weight), 2) AS concentration, sum(calls) AS calls_seen
        FROM slots
        GROUP BY ALL
        HAVING until <= slot
        ORDER BY its_model = model_version AND its_prompt = prompt_version DESC, until DESC
        LIMIT 1 BY project, use_case, model_version, prompt_version, slot_no
    ),
    measured AS
    (
        SELECT *,
            figures[9] * (1 - lambda) AS nearness,
            1.96 * sqrt(pow(figures[8], 2) * least(1., concentration * (1 + nearness) / (1 - nearness)) + pow(figures[10], 2)) AS error
        FROM smoothed
    )
SELECT
    project, use_case, model_version, prompt_version, slot,
    toNullable(least(1., greatest(0., then_estimate - smooth))) AS value,
    toNullable(greatest(0., then_estimate - smooth - error)) AS lower,
    toNullable(least(1., then_estimate - smooth + error)) AS upper,
    toNullable(then_estimate) AS baseline,
    toUInt64(calls_seen) AS n
FROM measured
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
