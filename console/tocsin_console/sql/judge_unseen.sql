-- Calls that people scored in the last 60 days and this judge has not seen: by them its own errors are measured.
SELECT call_id, any(started_at) AS its_start, min(selection_probability) AS chance
FROM review_items FINAL
WHERE project = {project:String} AND use_case = {use_case:String} AND state = 'scored' AND stratum != 'picked'
    AND at >= {now:DateTime64(3, 'UTC')} - INTERVAL 60 DAY
    AND call_id NOT IN
    (
        SELECT call_id FROM judge_verdicts
        WHERE project = {project:String} AND use_case = {use_case:String} AND source = {source:String}
    )
GROUP BY call_id
ORDER BY call_id
LIMIT 100
