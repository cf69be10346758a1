/*
summary = "Share of a day's values of an input field that its commonest value has"
unit    = "share"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }

[columns]
project  = "String"
use_case = "String"
field    = "String"
slot     = "DateTime64(3, 'UTC')"
value    = "Nullable(Float64)"
lower    = "Nullable(Float64)"
upper    = "Nullable(Float64)"
baseline = "Nullable(Float64)"
n        = "UInt64"
*/
-- Window: one day, whichever version answered. A value is a bin (2 % wide) or a category. Baseline: what the commonest value had
-- in the reference, or on the third most uniform of its days; 1 against far less is a field that used to vary and is stuck. NULL before a reference of 200 values is frozen.
-- Interval: Wilson.
-- Cells are grouped by one number for all of their names, three times as fast as by the names.
WITH
    {step_s:UInt32} AS step,
    -- The end of the first slot: nothing before its window is read.
    (intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1) * step AS first_end,
    -- Whole days where slots are midnights: the store has their sums ready (the projection by_day).
    if({step_s:UInt32} % 86400 = 0, 86400, 3600) AS grain,
    cells AS
    (
        SELECT
            any(h.project) AS project, any(h.use_case) AS use_case, any(h.field) AS field, any(h.kind) AS kind, any(h.bin) AS bin,
            any(h.category) AS category, any(h.slot_no) AS slot_no, sum(n) AS rows
        FROM
        (
            SELECT
                project, use_case, field, kind, bin, category, n,
                arrayJoin(range(
                    greatest(intDiv((unit + 1) * grain - 1 + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                    least(intDiv(unit * grain + 86400, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no,
                cityHash64(project, use_case, field, kind, bin, category, slot_no) AS cell
            FROM
            (
                SELECT project, use_case, field, kind, bin, category, intDiv(toUnixTimestamp(hour), grain) AS unit, sum(c.n) AS n
                FROM input_histogram_1h AS c
                WHERE kind IN ('number', 'category') AND segment_name = ''
                    AND unit >= intDiv(first_end - 86400, grain) AND unit < intDiv(toUnixTimestamp({until:DateTime('UTC')}) + grain - 1, grain)
                GROUP BY project, use_case, field, kind, bin, category, unit
            )
        ) AS h
        GROUP BY cell
        HAVING rows > 0
    ),
    present AS
    (
        SELECT project, use_case, field, slot_no, sum(rows) AS calls, max(rows) AS commonest
        FROM cells
        GROUP BY project, use_case, field, slot_no
    ),
    past AS
    (
        SELECT
            project, use_case, field, model_version AS its_model, prompt_version AS its_prompt, until,
            arraySum(anyIf(p.figures, kind = 'input')) AS then_calls,
            greatest(arrayMax(anyIf(p.figures, kind = 'number')), arrayMax(anyIf(arraySlice(p.figures, 1 + length(p.edges), length(p.names)), kind = 'input'))) / then_calls AS whole_share,
            greatest(whole_share, anyIf(p.figures[1], kind = 'stuck_day')) AS then_share
        FROM (SELECT * FROM reference_profiles FINAL WHERE kind IN ('input', 'number', 'stuck_day')) AS p
        GROUP BY ALL
    ),
    paired AS
    (
        SELECT *, toDateTime64(slot_no * step, 3, 'UTC') AS slot, until <= slot AS known
        FROM present LEFT JOIN past USING (project, use_case, field)
        ORDER BY known DESC, until DESC, its_model DESC, its_prompt DESC
        LIMIT 1 BY project, use_case, field, slot_no
    ),
    measured AS (SELECT *, known AND then_calls >= 200 AS enough FROM paired)
SELECT
    project, use_case, field, slot,
    if(enough, toNullable(commonest / calls), NULL) AS value,
    if(enough, toNullable(tocsin_wilson_v1(commonest, calls, -1.96)), NULL) AS lower,
    if(enough, toNullable(tocsin_wilson_v1(commonest, calls, 1.96)), NULL) AS upper,
    if(enough, toNullable(then_share), NULL) AS baseline,
    toUInt64(calls) AS n
FROM measured
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
