-- What has been loaded of spans, and when the last of it was received: from the books, however many there are.
SELECT sum(spans) AS spans_loaded, if(spans_loaded = 0, NULL, toNullable(max(last_received_at))) AS last_received_at
FROM load_ledger FINAL
WHERE kind = 'traces' AND state = 'loaded'
