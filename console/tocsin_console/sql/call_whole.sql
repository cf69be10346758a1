-- One call as it is stored, looked for between two times.
SELECT
    project, use_case, call_id, call_key, started_at, duration_ns / 1e6 AS duration_ms, trace_id, span_id, service, environment, release, task,
    model_name, model_version, prompt_version, served_by, guard_state, is_probe, attempt, retry_of, weight, output_label, output_value, output_text,
    output_probabilities, confidence, confidence_source, toFloat64(cost) AS amount, currency, cost_source, price_version, input_tokens, output_tokens,
    cache_read_tokens, cache_write_tokens, error_type, session_id, user_id, input_numbers, input_strings, input_nulls, segments, flags, received_at
FROM ai_calls
WHERE project = {project:String} AND use_case = {use_case:String} AND call_id = {call_id:String} AND sign = 1
    AND toStartOfHour(started_at) >= toStartOfHour({since:DateTime('UTC')}) AND toStartOfHour(started_at) <= toStartOfHour({until:DateTime('UTC')})
ORDER BY started_at
LIMIT 1
SETTINGS max_execution_time = 10
