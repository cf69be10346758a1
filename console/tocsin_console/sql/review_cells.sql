-- How many calls of a week are in each cell of the sample.
SELECT
    confidence IS NOT NULL AND confidence >= {high:Float64} AS confident,
    confidence IS NOT NULL AND confidence <= {low:Float64} AND NOT confident AS unsure,
    arrayExists(moved -> segments[moved.1] = moved.2, {moved:Array(Tuple(String, String))}) AS in_moved,
    count() AS calls
FROM ai_calls
WHERE project = {project:String} AND use_case = {use_case:String}
    AND toStartOfHour(started_at) >= {since:DateTime('UTC')} AND toStartOfHour(started_at) < {until:DateTime('UTC')}
    AND (served_by != 'fallback' OR is_probe) AND error_type = ''
    AND ({of_kept:UInt8} = 0 OR call_id GLOBAL IN
    (
        SELECT call_id FROM call_content
        WHERE project = {project:String} AND kind = 'output' AND pick = 'review'
            AND at >= {since:DateTime('UTC')} - 86400 AND at < {until:DateTime('UTC')} + 86400
    ))
GROUP BY confident, unsure, in_moved
ORDER BY confident, unsure, in_moved
