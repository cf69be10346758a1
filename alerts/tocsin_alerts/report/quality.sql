-- What verified quality lately: the newest slot of each evaluator that rests on outcomes; of several versions the one with most behind it.
SELECT
    project, use_case, evaluator, at_slot AS slot, sample.1 AS value, sample.2 AS lower, sample.3 AS upper, sample.4 AS n
FROM
(
    SELECT project, use_case, evaluator, labels, slot AS at_slot, argMax(tuple(value, lower, upper, n), evaluated_at) AS sample
    FROM evaluations
    WHERE evaluator IN ('accuracy', 'reviewed_accuracy', 'judge_accuracy', 'regression_error') AND slot > {since:DateTime64(3, 'UTC')} AND slot <= {until:DateTime64(3, 'UTC')}
    GROUP BY project, use_case, evaluator, labels, at_slot
)
WHERE isNotNull(sample.1)
ORDER BY at_slot DESC, n DESC
LIMIT 1 BY project, use_case, evaluator
