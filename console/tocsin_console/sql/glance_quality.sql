-- What evaluators said of quality at each midnight of some days, one row for each line: the days, their values, and the newest sample.
-- Of several versions, the one with most behind it speaks.
SELECT
    project, use_case, evaluator, groupArray(toUInt32(toUnixTimestamp(at_slot) / 86400)) AS days, groupArray(tuple(said.1)) AS shares, max(at_slot) AS slot,
    argMax(said, at_slot) AS newest
FROM
(
    SELECT project, use_case, evaluator, at_slot, argMax(sample, sample.5) AS said
    FROM
    (
        SELECT project, use_case, evaluator, labels, slot AS at_slot, argMax(tuple(value, lower, upper, baseline, n), evaluated_at) AS sample
        FROM evaluations
        WHERE evaluator IN ('accuracy', 'reviewed_accuracy', 'judge_accuracy', 'estimated_accuracy')
            AND slot > {since:DateTime64(3, 'UTC')} AND slot <= {until:DateTime64(3, 'UTC')} AND toStartOfDay(slot) = slot
        GROUP BY project, use_case, evaluator, labels, at_slot
    )
    GROUP BY project, use_case, evaluator, at_slot
)
GROUP BY project, use_case, evaluator
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0
