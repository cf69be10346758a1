/*
summary = "Quantiles of a day's latency, by version"
unit    = "ms"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }

[columns]
project        = "LowCardinality(String)"
use_case       = "LowCardinality(String)"
model_version  = "LowCardinality(String)"
prompt_version = "LowCardinality(String)"
quantile       = "String"
slot           = "DateTime64(3, 'UTC')"
value          = "Nullable(Float64)"
lower          = "Nullable(Float64)"
upper          = "Nullable(Float64)"
baseline       = "Nullable(Float64)"
n              = "UInt64"
*/
-- Window: one day; p50, p95 and p99 from 2 % bins, by their geometric middles: no figure is off by more than 1 %. What a fallback
-- served does not count, probes do. NULL where fewer than ten calls lie beyond the quantile. Baseline: the same quantile of the
-- reference; a version without one of its own is compared with the latest of its use case.
-- Interval: the order statistics that a binomial count puts around the quantile.
-- Source: Hahn & Meeker (1991), Statistical Intervals, section 5.2.
WITH
    {step_s:UInt32} AS step,
    -- The end of the first slot: nothing before its window is read.
    (intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1) * step AS first_end,
    -- Whole days where slots are midnights: the store has their sums ready (the projection by_day).
    if({step_s:UInt32} % 86400 = 0, 86400, 3600) AS grain,
    present AS
    (
        SELECT
            project, use_case, model_version, prompt_version, groupArray((bin, n)) AS cells, toFloat64(sum(n)) AS calls,
            arrayJoin(range(
                greatest(intDiv((unit + 1) * grain - 1 + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                least(intDiv(unit * grain + 86400, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no
        FROM
        (
            SELECT project, use_case, model_version, prompt_version, bin, intDiv(toUnixTimestamp(hour), grain) AS unit, sum(c.n) AS n
            FROM input_histogram_1h AS c
            WHERE kind = 'latency' AND segment_name = ''
                AND unit >= intDiv(first_end - 86400, grain) AND unit < intDiv(toUnixTimestamp({until:DateTime('UTC')}) + grain - 1, grain)
            GROUP BY project, use_case, model_version, prompt_version, bin, unit
        )
        GROUP BY project, use_case, model_version, prompt_version, slot_no
        HAVING calls > 0
    ),
    past AS
    (
        SELECT
            project, use_case, model_version AS its_model, prompt_version AS its_prompt, until, edges AS then_bins, arrayCumSum(figures) AS then_passed, toFloat64(n) AS then_calls
        FROM reference_profiles FINAL
        WHERE kind = 'latency'
    ),
    paired AS
    (
        SELECT *, toDateTime64(slot_no * step, 3, 'UTC') AS slot, until <= slot AS known
        FROM present LEFT JOIN past USING (project, use_case)
        ORDER BY known DESC, its_model = model_version AND its_prompt = prompt_version DESC, until DESC
        LIMIT 1 BY project, use_case, model_version, prompt_version, slot_no
    ),
    ranked AS
    (
        SELECT * EXCEPT (cells), arraySort(cell -> cell.1, cells) AS sorted, sorted.1 AS bins, arrayCumSum(sorted.2) AS passed, share
        FROM paired
        ARRAY JOIN [0.5, 0.95, 0.99] AS share
    ),
    measured AS
    (
        SELECT *,
            1.96 * sqrt(calls * share * (1 - share)) AS ranks,
            calls * (1 - share) >= 10 AS enough,
            arrayMap(r -> tocsin_bin_v1_value(bins[arrayFirstIndex(c -> c >= r, passed)]),
                [calls * share, greatest(1., calls * share - ranks), least(calls, calls * share + ranks)]) AS found,
            tocsin_bin_v1_value(then_bins[arrayFirstIndex(c -> c >= then_calls * share, then_passed)]) AS then_found
        FROM ranked
    )
SELECT
    project, use_case, model_version, prompt_version, concat('p', toString(toUInt8(100 * share + 0.5))) AS quantile, slot,
    if(enough, toNullable(found[1]), NULL) AS value,
    if(enough, toNullable(found[2]), NULL) AS lower,
    if(enough, toNullable(found[3]), NULL) AS upper,
    if(enough AND known AND then_calls * (1 - share) >= 10, toNullable(then_found), NULL) AS baseline,
    toUInt64(calls) AS n
FROM measured
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
