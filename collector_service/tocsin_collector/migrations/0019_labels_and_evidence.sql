-- Outcomes that contradict each other, and how long the content of calls is kept that people review.

-- Calls of which outcomes of one kind claim different things: two labels, two values, or right and wrong. All are kept; of two
-- the last word counts (outcomes_latest). Minutes of support are no claim.
CREATE VIEW IF NOT EXISTS outcomes_contradictory ${on_cluster} AS
SELECT
    project, any(use_case) AS use_case, call_id, kind, any(started_at) AS started_at, max(observed_at) AS last_observed_at,
    count() AS outcomes, groupUniqArray(source) AS sources, groupUniqArrayIf(label, label != '') AS labels,
    groupUniqArrayIf(assumeNotNull(value), value IS NOT NULL) AS true_values,
    groupUniqArrayIf(assumeNotNull(verdict), verdict IS NOT NULL) AS verdicts
FROM
(
    SELECT
        project, use_case, call_id, kind, started_at, observed_at, source, label, value,
        multiIf(correct IS NOT NULL, correct, score IS NOT NULL, toNullable(toUInt8(score >= 0.5)), NULL) AS verdict
    FROM outcomes FINAL
    WHERE kind != 'support'
)
GROUP BY project, call_id, kind
HAVING length(labels) > 1 OR length(true_values) > 1 OR length(verdicts) > 1;

-- Content of calls that were picked is evidence: it waits for somebody to review it, as long as calls are kept, and goes 30 days
-- after that (a job of the collector's, since it is the outcome that says when). Other content goes 30 days from arrival, as before.
ALTER TABLE call_content ${on_cluster} ADD COLUMN IF NOT EXISTS `pick` LowCardinality(String) COMMENT 'review, example: why it was sent though content is not; empty: somebody asked for content';
ALTER TABLE call_content ${on_cluster} MODIFY SETTING ttl_only_drop_parts = 0;
ALTER TABLE call_content ${on_cluster} MODIFY TTL toDateTime(ingested_at) + INTERVAL 30 DAY DELETE WHERE pick = '', toDateTime(ingested_at) + INTERVAL 400 DAY;
ALTER TABLE call_content ${on_cluster} MODIFY COMMENT 'What was asked and answered, where instrumentations were told to send it: 30 days from arrival; of picked calls 400, or 30 from their review';

ALTER TABLE logs_content_mv ${on_cluster} MODIFY QUERY
WITH
    mapKeys(LogAttributes) AS keys,
    mapValues(LogAttributes) AS values,
    values[indexOf(keys, 'tocsin.call.id')] AS said_call_id,
    extract(EventName, '^gen_ai\\.(system|user|assistant|tool)\\.message') AS message_role,
    arrayFilter(piece -> piece.3 != '', multiIf(
        EventName = 'gen_ai.choice', [('output', 'assistant', Body)],
        message_role != '', [(if(message_role = 'system', 'system', 'input'), message_role, Body)],
        [('input', '', values[indexOf(keys, 'gen_ai.input.messages')]),
            ('output', '', values[indexOf(keys, 'gen_ai.output.messages')]),
            ('system', '', values[indexOf(keys, 'gen_ai.system_instructions')])])) AS pieces
SELECT
    project, if(said_call_id != '', said_call_id, concat(TraceId, SpanId)) AS call_id,
    values[indexOf(keys, 'gen_ai.response.id')] AS response_id, TraceId AS trace_id, SpanId AS span_id, Timestamp AS at,
    piece.1 AS kind, piece.2 AS role, toUInt16(position) AS position, piece.3 AS content, ingested_at, segment,
    values[indexOf(keys, 'tocsin.review.pick')] AS pick
FROM logs_in
ARRAY JOIN pieces AS piece, arrayEnumerate(pieces) AS position
WHERE startsWith(EventName, 'gen_ai.');
