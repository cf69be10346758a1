-- One call as a reviewer sees it, and what its outcome carries.
SELECT
    call_id, call_key, started_at, toUnixTimestamp64Nano(started_at) AS started_ns, model_name, model_version, prompt_version, served_by, is_probe, weight, output_label, output_value,
    output_text, confidence, input_numbers, input_strings, input_nulls, segments
FROM ai_calls
WHERE project = {project:String} AND use_case = {use_case:String}
    AND toStartOfHour(started_at) = toStartOfHour({started_at:DateTime64(9, 'UTC')}) AND call_id = {call_id:String}
LIMIT 1
