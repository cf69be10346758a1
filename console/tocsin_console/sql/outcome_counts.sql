-- How many labels, scores and verdicts each use case has, and for how recent a call.
SELECT project, use_case, count() AS outcomes_known, max(started_at) AS last_call_at
FROM outcomes
GROUP BY project, use_case
