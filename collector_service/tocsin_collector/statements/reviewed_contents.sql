-- Calls that were reviewed within a while, and of which content is still kept.
SELECT DISTINCT project, call_id, trace_id, span_id
FROM
(
    SELECT project, call_id, trace_id, span_id FROM call_content
    UNION ALL
    SELECT project, call_id, trace_id, span_id
    FROM ai_calls
    WHERE output_text != '' AND started_at >= {earliest:DateTime64(3)} AND started_at <= {latest:DateTime64(3)} + INTERVAL 1 SECOND
)
WHERE (project, call_id) GLOBAL IN
(
    SELECT project, call_id
    FROM outcomes
    WHERE kind IN ('review', 'ground_truth') AND ingested_at >= {since:DateTime64(3)} AND ingested_at < {before:DateTime64(3)}
)
ORDER BY project, call_id
