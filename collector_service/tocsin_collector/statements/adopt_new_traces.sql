-- The keys of a stretch's spans that have not been read yet, neither here nor by a collector of ours: that has them under the same ids, or
-- had made one call of their response before this table was adopted.
INSERT INTO adopted_rows (source, batch, key, happened_at, ingested_at)
SELECT {source:String}, {batch:String}, key, Timestamp, now64(3)
FROM
(
    SELECT Timestamp, TraceId, SpanId, ${key} AS key, ${response} AS response_id
    FROM ${table}
    WHERE ${bounds} AND ${chosen}
    LIMIT 1 BY key
)
WHERE key NOT IN (SELECT key FROM adopted_rows WHERE source = {source:String} AND happened_at >= {since:DateTime('UTC')} AND happened_at < {until:DateTime('UTC')})
    AND (TraceId, SpanId) NOT IN
    (
        SELECT trace_id, span_id FROM ai_calls
        WHERE project = {project:String} AND started_at >= {since:DateTime('UTC')} AND started_at < {until:DateTime('UTC')}
    )
    AND (response_id = '' OR response_id NOT IN
    (
        SELECT call_key FROM ai_calls
        WHERE project = {project:String} AND started_at >= {since:DateTime('UTC')} AND started_at < {until:DateTime('UTC')}
            AND ingested_at < {begun_at:DateTime64(3, 'UTC')}
    ))
