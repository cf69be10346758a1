-- How each rule stands: in how many series, in how many of them it fires, and its newest value, the worst of several by none: one of them.
SELECT
    rule, count() AS series, countIf(state IN ('firing', 'recovering')) AS firing, countIf(state = 'pending') AS pending,
    countIf(overlay IN ('no_data', 'low_n')) AS without_evidence, argMax(tuple(value), slot).1 AS last_value, max(slot) AS last_slot
FROM standing_alerts
GROUP BY rule
