-- The calls that arrived last, oldest first, with what each of them lacks.
SELECT
    c.project AS project, c.use_case AS use_case, c.call_id AS call_id, c.started_at AS started_at,
    c.ingested_at AS ingested_at, c.service AS service, c.model_version AS model_version,
    c.output_label AS output_label, c.output_value AS output_value, c.confidence AS confidence, c.cost AS cost,
    c.currency AS currency, c.served_by AS served_by, c.error_type AS error_type, c.flags AS flags,
    length(c.input_numbers) + length(c.input_strings) AS fields_given,
    c.call_id IN (SELECT call_id FROM outcomes WHERE ingested_at > {after:DateTime64(3, 'UTC')} - INTERVAL 1 DAY) AS has_outcome
FROM
(
    SELECT * FROM ai_calls
    WHERE ingested_at >= {after:DateTime64(3, 'UTC')}
    ORDER BY ingested_at DESC, started_at DESC
    LIMIT {limit:UInt32}
) AS c
ORDER BY ingested_at, started_at
