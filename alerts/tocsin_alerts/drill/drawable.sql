-- The calls of the drill as reviews are drawn from them, of some days.
SELECT
    d.call_id AS call_id, addDays(c.started_at, dateDiff('day', d.own, d.at)) AS started_at, c.confidence AS confidence, is_right,
    model_version, prompt_version, output_label, segments
FROM drill_calls AS d INNER JOIN own_calls AS c ON c.call_id = d.own_id
WHERE d.is_control = {is_control:UInt8} AND d.at >= {first:Date} AND d.at <= {last:Date} AND started_at >= {since:DateTime('UTC')} AND started_at < {until:DateTime('UTC')}
ORDER BY started_at, call_id
