-- The calls of a span that the model answered: how many, how many of them have content that was kept for review, and
-- above and below which confidences a call is among the most and the least confident.
SELECT
    count() AS calls,
    countIf(call_id GLOBAL IN
    (
        SELECT call_id FROM call_content
        WHERE project = {project:String} AND kind = 'output' AND pick = 'review'
            AND at >= {since:DateTime('UTC')} - 86400 AND at < {until:DateTime('UTC')} + 86400
    )) AS kept_calls,
    countIf(confidence IS NOT NULL) AS confident_calls,
    quantileExactIf({unsure:Float64})(assumeNotNull(confidence), confidence IS NOT NULL) AS low,
    quantileExactIf({sure:Float64})(assumeNotNull(confidence), confidence IS NOT NULL) AS high
FROM ai_calls
WHERE project = {project:String} AND use_case = {use_case:String}
    AND toStartOfHour(started_at) >= {since:DateTime('UTC')} AND toStartOfHour(started_at) < {until:DateTime('UTC')}
    AND (served_by != 'fallback' OR is_probe) AND error_type = ''
