-- What evaluators said of quality at each midnight of some days; of several versions, the one with most behind it.
SELECT evaluator, at_slot AS slot, argMax(sample, sample.5) AS said
FROM
(
    SELECT
        evaluator, labels, slot AS at_slot,
        argMax(tuple(value, lower, upper, baseline, n), evaluated_at) AS sample
    FROM evaluations
    WHERE evaluator IN ('accuracy', 'reviewed_accuracy', 'judge_accuracy', 'estimated_accuracy')
        AND project = {project:String} AND use_case = {use_case:String}
        AND slot > {since:DateTime64(3, 'UTC')} AND slot <= {until:DateTime64(3, 'UTC')} AND toStartOfDay(slot) = slot
    GROUP BY evaluator, labels, at_slot
)
GROUP BY evaluator, at_slot
ORDER BY evaluator, at_slot
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0
