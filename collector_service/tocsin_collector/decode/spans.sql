/*
One spool segment of OTLP trace requests, flattened to one row per span: the columns of spans_in.

${file} is file('<path>', 'Protobuf', '<structure>') and ${segment} a quoted hash. ${texts:x} stands for the values of the
attributes x as an array of strings; decoder.py writes it out, since SQL cannot name a lambda here.
Never throws on a value: a bad one is clamped and flagged, or kept as it came. Nested messages are taken apart where they
are unfolded, once: every expression that still carries their types costs milliseconds of planning.
*/
WITH
    -- The last instant that a DateTime holds; later ones, and those past int64, are clamped to it and flagged.
    toUInt64(4294967295000000000) AS last_ns
SELECT
    fromUnixTimestamp64Nano(toInt64(least(start_ns, last_ns)), 'UTC') AS Timestamp,
    lower(hex(trace_id)) AS TraceId,
    lower(hex(span_id)) AS SpanId,
    lower(hex(parent_span_id)) AS ParentSpanId,
    trace_state AS TraceState,
    span_name AS SpanName,
    transform(kind, [1, 2, 3, 4, 5], ['Internal', 'Server', 'Client', 'Producer', 'Consumer'], 'Unspecified') AS SpanKind,
    resource_texts[indexOf(resource_keys, 'service.name')] AS ServiceName,
    mapFromArrays(resource_keys, resource_texts) AS ResourceAttributes,
    scope_name AS ScopeName,
    scope_version AS ScopeVersion,
    arrayMap((t, i, d) -> multiIf(t = 'double_value', d, t = 'int_value', toFloat64(i), nan), types, ints, doubles) AS numbers,
    -- What an attribute is for: 1 an input that is a number, 2 another input, 3 a class probability, 0 anything else.
    arrayMap((k, t) -> multiIf(
        startsWith(k, 'tocsin.input.'), if(t = 'int_value' OR t = 'double_value', 1, 2),
        startsWith(k, 'tocsin.output.probability.') AND (t = 'int_value' OR t = 'double_value'), 3,
        0), keys, types) AS roles,
    arrayMap(k -> substring(k, 14), keys) AS input_names,
    -- Langfuse's SDK says of a generation in words of its own what others say in OpenTelemetry's. Text and model are renamed, so that they
    -- stand under one name for whoever redacts and reads; tokens and cost, which it writes as JSON, are said beside. Its costs are dollars.
    texts[indexOf(keys, 'langfuse.observation.type')] AS langfuse_type,
    langfuse_type IN ('generation', 'embedding') AND NOT has(keys, 'gen_ai.operation.name') AS is_langfuse,
    if(is_langfuse, texts[indexOf(keys, 'langfuse.observation.usage_details')], '') AS langfuse_usage,
    arrayFilter(said -> said.2 != '', if(is_langfuse, [
        ('gen_ai.operation.name', if(langfuse_type = 'embedding', 'embeddings', 'chat')),
        ('gen_ai.usage.input_tokens', JSONExtractRaw(langfuse_usage, 'input')),
        ('gen_ai.usage.output_tokens', JSONExtractRaw(langfuse_usage, 'output')),
        ('gen_ai.usage.cache_read.input_tokens', JSONExtractRaw(langfuse_usage, 'cache_read_input_tokens')),
        ('gen_ai.usage.cache_creation.input_tokens', JSONExtractRaw(langfuse_usage, 'cache_creation_input_tokens')),
        ('tocsin.cost.amount', JSONExtractRaw(texts[indexOf(keys, 'langfuse.observation.cost_details')], 'total') AS langfuse_cost),
        ('tocsin.cost.currency', if(langfuse_cost = '', '', 'USD')),
        ('tocsin.cost.source', if(langfuse_cost = '', '', 'provider'))], [])) AS langfuse_said,
    mapFromArrays(
        if(is_langfuse, arrayConcat(arrayMap(k -> transform(k,
            ['langfuse.observation.input', 'langfuse.observation.output', 'langfuse.observation.model.name', 'langfuse.observation.prompt.version'],
            ['gen_ai.input.messages', 'gen_ai.output.messages', 'gen_ai.request.model', 'gen_ai.prompt.version'], k), keys),
            arrayMap(k -> toLowCardinality(k), langfuse_said.1)), keys),
        if(is_langfuse, arrayConcat(texts, langfuse_said.2), texts)) AS SpanAttributes,
    mapFromArrays(arrayFilter((k, r) -> r = 1, input_names, roles), arrayFilter((v, r) -> r = 1, numbers, roles)) AS InputNumbers,
    mapFromArrays(arrayFilter((k, r) -> r = 2, input_names, roles), arrayFilter((v, r) -> r = 2, texts, roles)) AS InputStrings,
    mapFromArrays(
        arrayMap(k -> substring(k, 27), arrayFilter((k, r) -> r = 3, keys, roles)),
        arrayFilter((v, r) -> r = 3, numbers, roles)
    ) AS OutputProbabilities,
    if(end_ns > start_ns, least(end_ns, last_ns) - least(start_ns, last_ns), 0) AS Duration,
    transform(status_code, [1, 2], ['Ok', 'Error'], 'Unset') AS StatusCode,
    status_message AS StatusMessage,
    arrayMap(t -> fromUnixTimestamp64Nano(toInt64(least(t, last_ns)), 'UTC'), event_ns) AS EventsTimestamp,
    event_names AS EventsName,
    arrayMap((k, v) -> mapFromArrays(k, v), event_keys, event_texts) AS EventsAttributes,
    arrayMap(i -> lower(hex(i)), link_trace_ids) AS LinksTraceId,
    arrayMap(i -> lower(hex(i)), link_span_ids) AS LinksSpanId,
    link_states AS LinksTraceState,
    arrayMap((k, v) -> mapFromArrays(k, v), link_keys, link_texts) AS LinksAttributes,
    arrayFilter(f -> f != '', [
        if(start_ns > last_ns OR end_ns > last_ns, 'timestamp_clamped', ''),
        if(end_ns < start_ns, 'ended_before_start', ''),
        if(length(trace_id) != 16 OR length(span_id) != 8, 'id_length', '')
    ]) AS Flags,
    project,
    fromUnixTimestamp64Nano(toInt64(least(received_ns, last_ns)), 'UTC') AS received_at,
    now64(3, 'UTC') AS ingested_at,
    ${segment} AS segment
FROM
(
    SELECT
        arrayJoin(ss.spans) AS sp,
        sp.trace_id AS trace_id,
        sp.span_id AS span_id,
        sp.parent_span_id AS parent_span_id,
        sp.trace_state AS trace_state,
        sp.name AS span_name,
        sp.kind AS kind,
        sp.start_time_unix_nano AS start_ns,
        sp.end_time_unix_nano AS end_ns,
        sp.status.code AS status_code,
        sp.status.message AS status_message,
        sp.attributes.key AS keys,
        sp.attributes.value.value AS types,
        sp.attributes.value.int_value AS ints,
        sp.attributes.value.double_value AS doubles,
        ${texts:sp.attributes} AS texts,
        sp.events.time_unix_nano AS event_ns,
        sp.events.name AS event_names,
        arrayMap(a -> a.key, sp.events.attributes) AS event_keys,
        arrayMap(a -> ${plain:a}, sp.events.attributes) AS event_texts,
        sp.links.trace_id AS link_trace_ids,
        sp.links.span_id AS link_span_ids,
        sp.links.trace_state AS link_states,
        arrayMap(a -> a.key, sp.links.attributes) AS link_keys,
        arrayMap(a -> ${plain:a}, sp.links.attributes) AS link_texts,
        ss.scope.name AS scope_name,
        ss.scope.version AS scope_version,
        resource_keys, resource_texts, project, received_ns
    FROM
    (
        SELECT
            arrayJoin(rs.scope_spans) AS ss,
            rs.resource.attributes.key AS resource_keys,
            ${texts:rs.resource.attributes} AS resource_texts,
            project, received_ns
        FROM (SELECT arrayJoin(resource_spans) AS rs, if(project = '', 'default', project) AS project, received_ns FROM ${file})
    )
)
