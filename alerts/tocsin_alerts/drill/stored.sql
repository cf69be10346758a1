-- How many of a version's calls of some weeks are still stored, and on how many days.
SELECT toInt64(count()) AS calls, toInt64(uniqExact(toDate(started_at))) AS days
FROM ai_calls
WHERE project = {project:String} AND use_case = {use_case:String}
    AND toStartOfHour(started_at) >= {since:DateTime('UTC')} AND toStartOfHour(started_at) < {until:DateTime('UTC')}
    AND (served_by != 'fallback' OR is_probe) AND (model_version, prompt_version) = ({model_version:String}, {prompt_version:String})
