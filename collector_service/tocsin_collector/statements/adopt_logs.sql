-- Log records of somebody else's table that say an outcome, in the columns of logs_in.
SELECT
    Timestamp, TraceId, SpanId, toString(ServiceName) AS ServiceName,
    CAST(said, 'Map(LowCardinality(String), String)') AS LogAttributes,
    event AS EventName,
    '${project}' AS project,
    now64(9, 'UTC') AS received_at,
    now64(3, 'UTC') AS ingested_at,
    '${segment}' AS segment
FROM
(
    SELECT Timestamp, TraceId, SpanId, ServiceName, ${attributes} AS said, ${event} AS event
    FROM ${source}
    WHERE ${bounds} AND ${chosen}
)
