-- Of how many calls outcomes of one kind say different things, by use case.
SELECT project, use_case, uniqExact(call_id) AS calls_contradictory
FROM outcomes_contradictory
GROUP BY project, use_case
