-- Calls of a use case that people scored since a time, and the minutes that they said.
SELECT uniqExact(call_id) AS scored, sum(ifNull(minutes, 0)) AS minutes_spent
FROM outcomes FINAL
WHERE project = {project:String} AND use_case = {use_case:String} AND kind = 'review'
    AND (correct IS NOT NULL OR score IS NOT NULL OR label != '') AND observed_at >= {since:DateTime64(3, 'UTC')}
