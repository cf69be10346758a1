-- Outcomes whose call is not known yet, in the order of their key, some at a time.
SELECT *
FROM outcomes_waiting FINAL
WHERE NOT is_resolved AND (project, outcome_id) > ({project:String}, {outcome_id:String})
    AND (ingested_at >= {since:DateTime64(3)}
        -- ... or one of the calls that have arrived since may be theirs.
        OR (project, call_id) IN (SELECT project, arrayJoin([call_id, call_key, concat(trace_id, span_id)]) FROM ai_calls WHERE sign = 1 AND ingested_at >= {since:DateTime64(3)})
        OR (project, response_id) IN (SELECT project, call_key FROM ai_calls WHERE sign = 1 AND ingested_at >= {since:DateTime64(3)})
        OR (project, business_key) IN (SELECT project, business_key FROM call_keys WHERE ingested_at >= {since:DateTime64(3)}))
ORDER BY project, outcome_id
LIMIT {limit:UInt32}
