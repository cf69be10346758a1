/*
One spool segment of OTLP log requests, flattened to one row per log record: the columns of logs_in. As spans.sql.

A record without a time of its own has the one at which it was observed, else the one at which it was received.
*/
WITH
    toUInt64(4294967295000000000) AS last_ns,
    multiIf(time_ns > 0, time_ns, observed_ns > 0, observed_ns, received_ns) AS at_ns
SELECT
    fromUnixTimestamp64Nano(toInt64(least(at_ns, last_ns)), 'UTC') AS Timestamp,
    lower(hex(trace_id)) AS TraceId,
    lower(hex(span_id)) AS SpanId,
    toUInt8(bitAnd(trace_flags, 255)) AS TraceFlags,
    severity_text AS SeverityText,
    toUInt8(least(greatest(severity_number, 0), 255)) AS SeverityNumber,
    resource_texts[indexOf(resource_keys, 'service.name')] AS ServiceName,
    body AS Body,
    resource_schema AS ResourceSchemaUrl,
    mapFromArrays(resource_keys, resource_texts) AS ResourceAttributes,
    scope_schema AS ScopeSchemaUrl,
    scope_name AS ScopeName,
    scope_version AS ScopeVersion,
    mapFromArrays(scope_keys, scope_texts) AS ScopeAttributes,
    mapFromArrays(keys, texts) AS LogAttributes,
    -- Before logs had a name of their own, an event carried it as an attribute.
    if(said_name != '', said_name, texts[indexOf(keys, 'event.name')]) AS EventName,
    arrayFilter(f -> f != '', [
        if(at_ns > last_ns, 'timestamp_clamped', ''),
        if(length(trace_id) NOT IN (0, 16) OR length(span_id) NOT IN (0, 8), 'id_length', '')
    ]) AS Flags,
    project,
    fromUnixTimestamp64Nano(toInt64(least(received_ns, last_ns)), 'UTC') AS received_at,
    now64(3, 'UTC') AS ingested_at,
    ${segment} AS segment
FROM
(
    SELECT
        arrayJoin(sl.log_records) AS record,
        record.time_unix_nano AS time_ns,
        record.observed_time_unix_nano AS observed_ns,
        record.trace_id AS trace_id,
        record.span_id AS span_id,
        record.flags AS trace_flags,
        record.severity_text AS severity_text,
        record.severity_number AS severity_number,
        record.event_name AS said_name,
        record.attributes.key AS keys,
        arrayPushBack(record.attributes.value, record.body) AS attributes_and_body,
        ${values:attributes_and_body} AS texts_and_body,
        arrayPopBack(texts_and_body) AS texts,
        texts_and_body[-1] AS body,
        sl.scope.name AS scope_name,
        sl.scope.version AS scope_version,
        sl.scope.attributes.key AS scope_keys,
        ${plain:sl.scope.attributes} AS scope_texts,
        sl.schema_url AS scope_schema,
        resource_schema, resource_keys, resource_texts, project, received_ns
    FROM
    (
        SELECT
            arrayJoin(rl.scope_logs) AS sl,
            rl.schema_url AS resource_schema,
            rl.resource.attributes.key AS resource_keys,
            ${texts:rl.resource.attributes} AS resource_texts,
            project, received_ns
        FROM (SELECT arrayJoin(resource_logs) AS rl, if(project = '', 'default', project) AS project, received_ns FROM ${file})
    )
)
