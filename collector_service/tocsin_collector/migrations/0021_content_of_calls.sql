-- What only some spans carry is looked for in those alone: put together before the filter, it cost a tenth of an insert. Why it was
-- sent is kept beside it: of picked calls it stays longer (0019).
ALTER TABLE spans_content_mv ${on_cluster} MODIFY QUERY
SELECT
    project, if(said_call_id != '', said_call_id, concat(TraceId, SpanId)) AS call_id,
    response_id, TraceId AS trace_id, SpanId AS span_id, Timestamp AS at,
    piece.1 AS kind, piece.2 AS role, toUInt16(position) AS position, piece.3 AS content, ingested_at, segment, pick
FROM
(
    SELECT
        project, TraceId, SpanId, Timestamp, ingested_at, segment,
        values[indexOf(keys, 'tocsin.call.id')] AS said_call_id,
        values[indexOf(keys, 'gen_ai.response.id')] AS response_id,
        values[indexOf(keys, 'tocsin.review.pick')] AS pick,
        arrayFilter(piece -> piece.3 != '', [
            ('input', '', values[greatest(indexOf(keys, 'gen_ai.input.messages'), if(is_openinference, indexOf(keys, 'input.value'), 0))]),
            ('output', '', values[greatest(indexOf(keys, 'gen_ai.output.messages'), if(is_openinference, indexOf(keys, 'output.value'), 0))]),
            ('system', '', values[indexOf(keys, 'gen_ai.system_instructions')]),
            ('input', values[indexOf(keys, 'gen_ai.prompt.0.role')], values[indexOf(keys, 'gen_ai.prompt.0.content')]),
            ('input', values[indexOf(keys, 'gen_ai.prompt.1.role')], values[indexOf(keys, 'gen_ai.prompt.1.content')]),
            ('output', values[indexOf(keys, 'gen_ai.completion.0.role')], values[indexOf(keys, 'gen_ai.completion.0.content')])]) AS pieces
    FROM
    (
        SELECT
            project, TraceId, SpanId, Timestamp, ingested_at, segment,
            mapKeys(SpanAttributes) AS keys,
            mapValues(SpanAttributes) AS values,
            values[indexOf(keys, 'openinference.span.kind')] = 'LLM' AS is_openinference
        FROM spans_in
        WHERE greatest(indexOf(keys, 'gen_ai.input.messages'), indexOf(keys, 'gen_ai.output.messages'), indexOf(keys, 'gen_ai.system_instructions'),
            indexOf(keys, 'gen_ai.prompt.0.content'), indexOf(keys, 'gen_ai.completion.0.content')) > 0 OR is_openinference
    )
)
ARRAY JOIN pieces AS piece, arrayEnumerate(pieces) AS position;
