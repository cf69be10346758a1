/*
One spool segment of outcome requests, one row per outcome: the columns of outcomes_in.

${file} is file('<path>', 'Protobuf', '<structure>') and ${segment} a quoted hash. Each `has_…` element says whether its
field was sent: absent is NULL, zero is a measurement.
*/
SELECT
    project,
    o.call.use_case AS use_case,
    o.call.call_id AS call_id,
    fromUnixTimestamp64Nano(toInt64(o.call.started_unix_nano), 'UTC') AS started_at,
    o.call.model_version AS model_version,
    o.call.prompt_version AS prompt_version,
    if(o.call.served_by = '', 'model', o.call.served_by) AS served_by,
    toUInt8(o.call.is_probe) AS is_probe,
    o.call.label AS predicted_label,
    if(o.call.output = 'value', o.call.value, NULL) AS predicted_value,
    if(o.call.has_confidence = 'confidence', o.call.confidence, NULL) AS confidence,
    if(o.call.has_weight = 'weight', o.call.weight, 1.) AS weight,
    mapFromArrays(o.call.segments.key, o.call.segments.value) AS segments,
    o.kind AS kind,
    o.source AS source,
    o.outcome_id AS outcome_id,
    fromUnixTimestamp64Nano(toInt64(o.observed_unix_nano), 'UTC') AS observed_at,
    o.label AS label,
    if(o.truth = 'value', o.value, NULL) AS value,
    if(o.has_score = 'score', o.score, NULL) AS score,
    if(o.has_correct = 'correct', toUInt8(o.correct), NULL) AS correct,
    if(o.has_minutes = 'minutes', o.minutes, NULL) AS minutes,
    o.author AS author,
    o.comment AS comment,
    fromUnixTimestamp64Nano(toInt64(received_ns), 'UTC') AS received_at,
    now64(3, 'UTC') AS ingested_at,
    ${segment} AS segment,
    o.call.key AS business_key,
    o.call.response_id AS response_id
FROM (SELECT arrayJoin(outcomes) AS o, if(project = '', 'default', project) AS project, received_ns FROM ${file})
