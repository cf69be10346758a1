/*
summary = "How high right items stood, on labelled rankings: reciprocal rank, discounted gain, and how often one came first"
unit    = "share"
window  = "7d"
lag     = "label delay"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }
outcomes = ["ground_truth", "review"]

[columns]
project        = "LowCardinality(String)"
use_case       = "LowCardinality(String)"
model_version  = "LowCardinality(String)"
prompt_version = "LowCardinality(String)"
measure        = "String"
slot           = "DateTime64(3, 'UTC')"
value          = "Nullable(Float64)"
lower          = "Nullable(Float64)"
upper          = "Nullable(Float64)"
baseline       = "Nullable(Float64)"
n              = "UInt64"
*/
-- Window: seven days of calls, ending the plan's label delay (seven days without a plan) before the slot; outcomes of source "rank", whose value is the place
-- at which the right item stood: 1 the first, 0 not among those shown; and of source "ndcg", whose value is the gain of a ranking of many
-- grades, 0 to 1, as whoever labelled it worked it out. Measures: mrr, the mean of 1 / place; ndcg, the mean of 1 / log2(1 + place), which is
-- the normalised gain where one item is right, or the gain that was told; first, the share of right items that came first.
-- Under 50 labels the value is NULL. Baseline: the same over the reference window. Interval: normal, of a mean.
-- Source: Voorhees (1999), The TREC-8 Question Answering Track Report; Jarvelin and Kekalainen (2002), Cumulated Gain-Based Evaluation.
WITH
    {step_s:UInt32} AS step,
    (SELECT max(label_delay_s) FROM plans) AS longest_delay,
    verdicts AS
    (
        SELECT
            project, use_case, model_version, prompt_version, toStartOfHour(started_at) AS hour, measured.1 AS measure, measured.2 AS figure
        FROM outcomes FINAL
        ARRAY JOIN if(source = 'ndcg', [('ndcg', least(1., assumeNotNull(value)))], [
            ('mrr', if(assumeNotNull(value) >= 1, 1 / greatest(1., assumeNotNull(value)), 0.)),
            ('ndcg', if(assumeNotNull(value) >= 1, 1 / log2(1 + greatest(1., assumeNotNull(value))), 0.)),
            ('first', if(assumeNotNull(value) = 1, 1., 0.))]) AS measured
        WHERE started_at >= {since:DateTime('UTC')} - 604800 - greatest(604800, longest_delay) AND started_at < {until:DateTime('UTC')}
            AND kind IN ('review', 'ground_truth') AND source IN ('rank', 'ndcg') AND (served_by != 'fallback' OR is_probe)
            AND value >= 0
        ORDER BY project, call_id, kind = 'ground_truth' DESC, source = 'ndcg' DESC, observed_at DESC, outcome_id DESC
        LIMIT 1 BY project, call_id, measure
    ),
    hours AS
    (
        SELECT project, use_case, model_version, prompt_version, measure, hour, count() AS labels, sum(figure) AS total, sum(figure * figure) AS squares
        FROM verdicts
        GROUP BY ALL
    ),
    present AS
    (
        SELECT
            project, use_case, model_version, prompt_version, measure, sum(labels) AS calls, sum(total) / calls AS mean,
            sqrt(greatest(0., sum(squares) / calls - mean * mean) / calls) AS deviation,
            arrayJoin(range(
                greatest(intDiv(toUnixTimestamp(hour) + delay_s + 3599 + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                least(intDiv(toUnixTimestamp(hour) + delay_s + 604800, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no
        FROM
        (
            SELECT *, if(has_plan, label_delay_s, 604800) AS delay_s
            FROM hours LEFT JOIN (SELECT project, use_case, label_delay_s, 1 AS has_plan FROM plans FINAL) AS p USING (project, use_case)
        )
        GROUP BY ALL
    ),
    past AS
    (
        SELECT project, use_case, model_version AS its_model, prompt_version AS its_prompt, until, names AS then_names, figures AS then_figures
        FROM reference_profiles FINAL
        WHERE kind = 'score' AND hasAny(names, ['mrr', 'ndcg', 'first'])
    ),
    paired AS
    (
        SELECT *, toDateTime64(slot_no * step, 3, 'UTC') AS slot, until <= slot AS known, calls >= 50 AS enough
        FROM present LEFT JOIN past USING (project, use_case)
        ORDER BY known DESC, its_model = model_version AND its_prompt = prompt_version DESC, until DESC
        LIMIT 1 BY project, use_case, model_version, prompt_version, measure, slot_no
    )
SELECT
    project, use_case, model_version, prompt_version, measure, slot,
    if(enough, mean, NULL) AS value,
    if(enough, greatest(0., mean - 1.96 * deviation), NULL) AS lower,
    if(enough, least(1., mean + 1.96 * deviation), NULL) AS upper,
    if(known AND until > 0 AND has(then_names, measure), then_figures[indexOf(then_names, measure)], NULL) AS baseline,
    calls AS n
FROM paired
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
