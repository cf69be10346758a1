-- The last time that each use case was put into fallback, in earnest or to rehearse it.
SELECT project, use_case, max(at) AS flipped_at, argMax(actor, at) AS flipped_by
FROM guard_events FINAL
WHERE applied AND state IN ('fallback', 'off')
GROUP BY project, use_case
