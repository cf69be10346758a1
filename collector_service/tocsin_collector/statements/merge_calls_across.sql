-- Rows for cluster_corrections that make one call of each response whose spans came to several shards: each span's row taken back
-- on its own shard, and one merged row on that of the outermost span. Merged as merge_calls does.
INSERT INTO cluster_corrections (${columns}, token, shard)
WITH
    responses AS
    (
        SELECT project, call_key
        FROM ai_calls
        WHERE ingested_at >= {since:DateTime64(3)} AND sign = 1
        GROUP BY project, call_key
        HAVING uniqExact(_shard_num) > 1 AND countIf(${shares}) > 0
        ORDER BY project, call_key
        LIMIT {limit:UInt32}
    ),
    spans AS
    (
        SELECT *, _shard_num AS shard, (started_at, -toInt64(duration_ns), span_id) AS depth
        FROM ai_calls
        WHERE ingested_at >= {since:DateTime64(3)} AND sign = 1 AND (project, call_key) IN responses
    )
SELECT ${columns}, {token:String} AS token, shard
FROM
(
    SELECT ${columns}, shard FROM (SELECT * EXCEPT (depth) REPLACE (toInt8(-1) AS sign) FROM spans)
    UNION ALL
    SELECT ${merged}, argMin(spans.shard, depth) AS shard
    FROM spans
    GROUP BY project, call_key
)
