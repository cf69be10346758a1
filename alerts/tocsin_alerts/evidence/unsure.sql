-- Calls of the last day that the model was least sure of.
SELECT call_id, started_at, output_label, output_value, output_text, confidence, input_numbers, input_strings
FROM ai_calls
WHERE project = {project:String} AND use_case = {use_case:String}
    AND toStartOfHour(started_at) >= {slot:DateTime('UTC')} - 86400 AND toStartOfHour(started_at) < {slot:DateTime('UTC')}
    AND confidence IS NOT NULL AND (served_by != 'fallback' OR is_probe)
ORDER BY confidence, started_at DESC, call_id
LIMIT 1 BY call_id
LIMIT {most:UInt32}
