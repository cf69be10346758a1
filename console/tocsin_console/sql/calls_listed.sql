-- Calls of a time range that have everything that is asked for, in one of six orders, from behind the last one that was shown. What is
-- not asked for is empty, or below zero. The inner query reads what orders and filters
-- (`if` of a constant is folded, multiIf is not, and would read every column that it names); the rows are then read by their key.
SELECT
    project, use_case, call_id, started_at, duration_ns / 1e6 AS duration_ms, service, environment, release, model_name, model_version, prompt_version,
    served_by, is_probe, attempt, error_type, output_label, output_value, substringUTF8(output_text, 1, 500) AS output_text, confidence,
    toFloat64(cost) AS amount, currency, input_tokens, output_tokens, user_id, session_id, trace_id,
    if({sort:String} = 'unsure', ifNull(confidence, 2.), if({sort:String} = 'sure', -ifNull(confidence, -1.),
        if({sort:String} = 'dear', -ifNull(toFloat64(cost), -1.), if({sort:String} = 'slow', -toFloat64(duration_ns), 0.)))) AS place,
    toUnixTimestamp64Nano(started_at) * if({sort:String} = 'oldest', 1, -1) AS moment
FROM ai_calls
WHERE sign = 1 AND (project, use_case, toStartOfHour(started_at), call_id) GLOBAL IN
(
    SELECT project, use_case, toStartOfHour(started_at), call_id
    FROM ai_calls
    WHERE ({project:String} = '' OR project = {project:String}) AND ({use_case:String} = '' OR use_case = {use_case:String})
        AND toStartOfHour(started_at) >= toStartOfHour({since:DateTime64(9, 'UTC')}) AND toStartOfHour(started_at) <= toStartOfHour({until:DateTime64(9, 'UTC')})
        AND started_at >= {since:DateTime64(9, 'UTC')} AND started_at < {until:DateTime64(9, 'UTC')} AND sign = 1
        AND ({model:String} = '' OR model_name = {model:String}) AND ({version:String} = '' OR model_version = {version:String})
        AND ({prompt:String} = '' OR prompt_version = {prompt:String}) AND ({release:String} = '' OR release = {release:String})
        AND ({service:String} = '' OR service = {service:String}) AND ({served_by:String} = '' OR served_by = {served_by:String})
        AND ({error:String} = '' OR error_type = {error:String} OR {error:String} = 'any' AND error_type != '' OR {error:String} = 'none' AND error_type = '')
        AND ({label:String} = '' OR output_label = {label:String}) AND ({user:String} = '' OR user_id = {user:String})
        AND ({session:String} = '' OR session_id = {session:String}) AND ({trace:String} = '' OR trace_id = {trace:String})
        AND ({call_id:String} = '' OR call_id = {call_id:String})
        AND ({confidence_min:Float64} < 0 OR confidence >= {confidence_min:Float64}) AND ({confidence_max:Float64} < 0 OR confidence <= {confidence_max:Float64})
        AND ({cost_min:Float64} < 0 OR cost >= {cost_min:Float64}) AND ({cost_max:Float64} < 0 OR cost <= {cost_max:Float64})
        AND ({slower_ms:Float64} < 0 OR duration_ns >= {slower_ms:Float64} * 1e6)
        AND (empty({inputs:Array(Tuple(String, String))}) OR arrayAll(asked ->
            input_strings[asked.1] = asked.2 AND mapContains(input_strings, asked.1) OR segments[asked.1] = asked.2 AND mapContains(segments, asked.1)
            OR toString(input_numbers[asked.1]) = asked.2 AND mapContains(input_numbers, asked.1)
            OR asked.2 = '' AND has(input_nulls, asked.1), {inputs:Array(Tuple(String, String))}))
        AND ({text:String} = '' OR positionCaseInsensitiveUTF8(output_text, {text:String}) > 0 OR call_id GLOBAL IN
        (
            SELECT call_id FROM call_content
            WHERE {text:String} != '' AND ({project:String} = '' OR project = {project:String})
                AND at >= {since:DateTime64(9, 'UTC')} - 86400 AND at < {until:DateTime64(9, 'UTC')} + 86400 AND positionCaseInsensitiveUTF8(content, {text:String}) > 0
        ) OR call_key GLOBAL IN
        (
            SELECT response_id FROM call_content
            WHERE {text:String} != '' AND response_id != '' AND ({project:String} = '' OR project = {project:String})
                AND at >= {since:DateTime64(9, 'UTC')} - 86400 AND at < {until:DateTime64(9, 'UTC')} + 86400 AND positionCaseInsensitiveUTF8(content, {text:String}) > 0
        ))
        AND ({outcome:String} = '' OR ({outcome:String} = 'none') != ((project, call_id) GLOBAL IN
        (
            SELECT project, call_id
            FROM
            (
                SELECT project, call_id, ifNull(correct, score >= 0.5) AS is_right
                FROM outcomes FINAL
                WHERE {outcome:String} != '' AND ({project:String} = '' OR project = {project:String}) AND ({use_case:String} = '' OR use_case = {use_case:String})
                    AND started_at >= {since:DateTime64(9, 'UTC')} AND started_at < {until:DateTime64(9, 'UTC')}
                    AND kind != 'support' AND (correct IS NOT NULL OR score IS NOT NULL)
                ORDER BY project, call_id, indexOf(['feedback', 'judge', 'review', 'ground_truth'], kind) DESC, observed_at DESC, outcome_id DESC
                LIMIT 1 BY project, call_id
            )
            WHERE {outcome:String} = 'none' OR is_right = ({outcome:String} = 'right')
        )))
        AND ({after_id:String} = '' OR (
            if({sort:String} = 'unsure', ifNull(confidence, 2.), if({sort:String} = 'sure', -ifNull(confidence, -1.),
        if({sort:String} = 'dear', -ifNull(toFloat64(cost), -1.), if({sort:String} = 'slow', -toFloat64(duration_ns), 0.)))),
            toUnixTimestamp64Nano(started_at) * if({sort:String} = 'oldest', 1, -1), call_id) > ({after_place:Float64}, {after_moment:Int64}, {after_id:String}))
    ORDER BY
        if({sort:String} = 'unsure', ifNull(confidence, 2.), if({sort:String} = 'sure', -ifNull(confidence, -1.),
        if({sort:String} = 'dear', -ifNull(toFloat64(cost), -1.), if({sort:String} = 'slow', -toFloat64(duration_ns), 0.)))),
        toUnixTimestamp64Nano(started_at) * if({sort:String} = 'oldest', 1, -1), call_id
    LIMIT {most:UInt32}
)
ORDER BY place, moment, call_id
LIMIT 1 BY project, call_id, span_id
LIMIT {most:UInt32}
SETTINGS max_execution_time = 10, timeout_overflow_mode = 'throw'
