-- The last sample of each series, for as far back as a series may be gone without having been replaced.
SELECT project, use_case, evaluator, labels, max(slot) AS seen
FROM evaluations
WHERE slot > {after:DateTime64(3, 'UTC')}
GROUP BY project, use_case, evaluator, labels
