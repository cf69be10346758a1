-- Every notification there ever was, without its message: what has been said to whom.
SELECT
    notification, incident, transition, channel, state, severity, JSONExtractString(body, 'created_at') AS created_at,
    JSONExtract(body, 'message', 'alerts', 'Array(String)') AS alerts,
    arrayMap(said -> JSONExtractString(said, 'event'), JSONExtractArrayRaw(body, 'alerts')) AS events
FROM notifications FINAL
