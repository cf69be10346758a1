-- The latest drill of each use case, as it is.
SELECT project, use_case, kind, fall, over_days, noticed_after_days, rule, said, at
FROM drills FINAL
WHERE is_as_it_is
ORDER BY at DESC
LIMIT 1 BY project, use_case
