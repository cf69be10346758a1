-- The same rows once more, resolved: the later version holds.
INSERT INTO outcomes_waiting
SELECT * REPLACE (1 AS is_resolved)
FROM (SELECT * FROM outcomes_waiting FINAL WHERE NOT is_resolved)
WHERE (project, outcome_id) IN
    (SELECT project, outcome_id FROM outcomes WHERE ingested_at >= (SELECT min(ingested_at) FROM outcomes_waiting FINAL WHERE NOT is_resolved))
