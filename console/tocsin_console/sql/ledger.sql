-- What the load ledger says it stored, beside what the tables hold. Spans and logs are kept for a while, the ledger for ever.
SELECT
    (SELECT sum(spans) FROM load_ledger FINAL WHERE kind = 'traces' AND state = 'loaded') AS spans_by_ledger,
    (SELECT sum(spans) FROM load_ledger FINAL WHERE kind = 'traces' AND state = 'begun') AS spans_begun,
    (SELECT count() FROM load_ledger FINAL WHERE kind = 'traces' AND at < now64(6) - toIntervalDay({spans_kept_days:UInt32} - 1)) > 0 AS spans_may_have_expired,
    (SELECT count() FROM otel_traces) AS spans_stored,
    (SELECT sum(rows) FROM erasures FINAL WHERE place = 'otel_traces') AS spans_erased,
    (SELECT sum(spans) FROM load_ledger FINAL WHERE kind = 'logs' AND state = 'loaded') AS logs_by_ledger,
    (SELECT sum(spans) FROM load_ledger FINAL WHERE kind = 'logs' AND state = 'begun') AS logs_begun,
    (SELECT count() FROM load_ledger FINAL WHERE kind = 'logs' AND at < now64(6) - toIntervalDay({logs_kept_days:UInt32} - 1)) > 0 AS logs_may_have_expired,
    (SELECT count() FROM otel_logs) AS logs_stored,
    (SELECT sum(rows) FROM erasures FINAL WHERE place = 'otel_logs') AS logs_erased,
    (SELECT count() FROM ai_calls) AS calls_stored,
    (SELECT sum(spans) FROM load_ledger FINAL WHERE kind = 'outcomes' AND state = 'loaded') AS outcomes_by_ledger,
    (SELECT count() FROM outcomes) AS outcomes_stored,
    (SELECT count() FROM outcomes_waiting FINAL WHERE NOT is_resolved) AS outcomes_without_call,
    (SELECT count() FROM dead_letters FINAL) AS requests_set_aside
