-- Spans of somebody else's table that may be AI calls, in the columns of spans_in: ai_calls_mv decides. Text is all that the table
-- has: an input that reads as a number is one, unless it has a leading zero, as codes have. Never throws on a value, since the
-- batch that it belongs to would be read for ever.
SELECT
    Timestamp, TraceId, SpanId, ParentSpanId, SpanName, ServiceName,
    CAST(resource, 'Map(LowCardinality(String), String)') AS ResourceAttributes,
    CAST(said, 'Map(LowCardinality(String), String)') AS SpanAttributes,
    mapFromArrays(arrayMap(k -> substring(k, 14), numeric), arrayMap(k -> toFloat64OrDefault(said[k], nan), numeric)) AS InputNumbers,
    mapFromArrays(arrayMap(k -> substring(k, 14), other), arrayMap(k -> said[k], other)) AS InputStrings,
    mapFromArrays(arrayMap(k -> substring(k, 27), probable), arrayMap(k -> toFloat64OrDefault(said[k], nan), probable)) AS OutputProbabilities,
    Duration,
    StatusCode,
    project,
    now64(9, 'UTC') AS received_at,
    now64(3, 'UTC') AS ingested_at,
    '${segment}' AS segment
FROM
(
    SELECT
        Timestamp, TraceId, SpanId, ParentSpanId, SpanName, ServiceName, resource, said,
        '${project}' AS project,
        toUInt64(greatest(source_duration, 0)) AS Duration,
        -- Older exporters write the enumeration's own names.
        transform(source_status, ['STATUS_CODE_ERROR', 'STATUS_CODE_OK', 'STATUS_CODE_UNSET'], ['Error', 'Ok', 'Unset'], source_status) AS StatusCode,
        arrayFilter(k -> startsWith(k, 'tocsin.input.'), mapKeys(said)) AS inputs,
        arrayFilter(k -> match(said[k], '^(-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]+)?|NaN|[+-]?Inf)$$'), inputs) AS numeric,
        arrayFilter(k -> NOT has(numeric, k), inputs) AS other,
        arrayFilter(k -> startsWith(k, 'tocsin.output.probability.'), mapKeys(said)) AS probable
    FROM
    (
        SELECT
            Timestamp, TraceId, SpanId, ParentSpanId, toString(SpanName) AS SpanName, toString(ServiceName) AS ServiceName,
            toInt64(Duration) AS source_duration, toString(StatusCode) AS source_status,
            ${resource} AS resource,
            ${attributes} AS said
        FROM ${source}
        WHERE ${bounds} AND ${chosen}
        LIMIT 1 BY TraceId, SpanId
    )
)
