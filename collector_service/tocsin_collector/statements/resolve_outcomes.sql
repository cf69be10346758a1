-- Outcomes of the calls that were found: by their id, by trace and span, or by the response's id. An outcome is one row by its id.
INSERT INTO outcomes (
    project, use_case, call_id, started_at, model_version, prompt_version, served_by, is_probe, predicted_label, predicted_value,
    confidence, weight, segments, kind, source, outcome_id, observed_at, label, value, score, correct, minutes, author, comment,
    received_at, ingested_at, segment)
SELECT
    w.project, c.use_case, c.call_id, c.started_at, c.model_version, c.prompt_version, c.served_by, c.is_probe, c.output_label,
    c.output_value, c.confidence, c.weight, c.segments, w.kind, w.source, w.outcome_id, w.observed_at, w.label, w.value, w.score,
    multiIf(w.correct IS NOT NULL, w.correct,
        w.label != '' AND c.output_label != '', toNullable(toUInt8(w.label = c.output_label)), NULL),
    w.minutes, w.author, w.comment, w.received_at, w.ingested_at, w.segment
FROM
(
    SELECT *, arrayJoin(arrayFilter(k -> k != '', [call_id, response_id])) AS key
    FROM outcomes_waiting FINAL
    WHERE NOT is_resolved
) AS w
INNER JOIN
(
    SELECT *, arrayJoin(arrayDistinct([call_id, call_key, concat(trace_id, span_id)])) AS key
    FROM ai_calls
    WHERE sign = 1
        AND started_at >= (SELECT min(observed_at) - INTERVAL 30 DAY FROM outcomes_waiting FINAL WHERE NOT is_resolved)
        AND project IN (SELECT project FROM outcomes_waiting FINAL WHERE NOT is_resolved)
) AS c ON c.project = w.project AND c.key = w.key
ORDER BY w.outcome_id, c.started_at
LIMIT 1 BY w.project, w.outcome_id
