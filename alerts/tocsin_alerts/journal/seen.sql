-- The last sample of each series, for as far back as a series may be gone without having been replaced, and no further than slots
-- are done: samples are stored before anything is decided by them.
SELECT project, use_case, evaluator, labels, max(slot) AS seen
FROM evaluations
WHERE slot > {after:DateTime64(3, 'UTC')}
    AND slot <= arrayElement({done_to:Array(DateTime64(3, 'UTC'))}, indexOf({evaluators:Array(String)}, evaluator))
GROUP BY project, use_case, evaluator, labels
