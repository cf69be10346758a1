-- Rows for call_corrections that make one call of each response that several spans tell of: each span's row taken back, and one
-- merged row. The outermost span says what the call was for, the inner ones what the provider answered. Its cost is the one that
-- the provider gave, else what the innermost was reckoned at: never a sum. Where there is no response (it failed, or is an embedding),
-- an inner span says the same by naming the outer one as its call: its trace id and span id.
INSERT INTO call_corrections (${columns}, token)
WITH
    responses AS
    (
        SELECT project, call_key
        FROM ai_calls
        WHERE ingested_at >= {since:DateTime64(3)} AND sign = 1
        GROUP BY project, call_key
        HAVING count() > 1 AND countIf(${shares}) > 0
        ORDER BY project, call_key
        LIMIT {limit:UInt32}
    ),
    spans AS
    (
        SELECT *, (started_at, -toInt64(duration_ns), span_id) AS depth
        FROM ai_calls
        WHERE ingested_at >= {since:DateTime64(3)} AND sign = 1 AND (project, call_key) IN responses
    )
SELECT ${columns}, {token:String} AS token
FROM
(
    SELECT * EXCEPT (depth) REPLACE (toInt8(-1) AS sign) FROM spans
    UNION ALL
    SELECT ${merged}
    FROM spans
    GROUP BY project, call_key
)
