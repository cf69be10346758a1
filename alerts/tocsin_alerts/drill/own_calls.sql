-- A use case's own calls of some days: one of so many, by a hash of the call.
INSERT INTO own_calls
SELECT *
FROM {origin:Identifier}.ai_calls
WHERE project = {project:String} AND use_case = {use_case:String}
    AND toStartOfHour(started_at) >= {since:DateTime('UTC')} AND toStartOfHour(started_at) < {until:DateTime('UTC')}
    AND (served_by != 'fallback' OR is_probe) AND cityHash64(call_id) % {one_of:UInt32} = 0
    AND (model_version, prompt_version) = ({model_version:String}, {prompt_version:String})
