-- Outcomes that contradict each other, and how long the content of calls is kept that people review.

-- Calls of which outcomes of one kind claim different things: two labels, two values, or right and wrong. All are kept; of two
-- the last word counts (outcomes_latest). Minutes of support are no claim.
CREATE VIEW IF NOT EXISTS outcomes_contradictory ${on_cluster} AS
SELECT
    project, any(use_case) AS use_case, call_id, kind, any(started_at) AS started_at, max(observed_at) AS last_observed_at,
    count() AS outcomes, groupUniqArray(source) AS sources, groupUniqArrayIf(label, label != '') AS labels,
    groupUniqArrayIf(assumeNotNull(value), value IS NOT NULL) AS true_values,
    groupUniqArrayIf(assumeNotNull(verdict), verdict IS NOT NULL) AS verdicts
FROM
(
    SELECT
        project, use_case, call_id, kind, started_at, observed_at, source, label, value,
        multiIf(correct IS NOT NULL, correct, score IS NOT NULL, toNullable(toUInt8(score >= 0.5)), NULL) AS verdict
    FROM outcomes FINAL
    WHERE kind != 'support'
)
GROUP BY project, call_id, kind
HAVING length(labels) > 1 OR length(true_values) > 1 OR length(verdicts) > 1;
