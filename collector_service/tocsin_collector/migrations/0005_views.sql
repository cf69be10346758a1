-- The public schema for dashboards: changes only with a major version.
CREATE VIEW IF NOT EXISTS calls ${on_cluster} AS
SELECT
    project, use_case, started_at, duration_ns / 1e6 AS duration_ms, call_id, trace_id, span_id, service, environment,
    release, task, model_name, model_version, prompt_version, served_by, guard_state, is_probe, attempt, output_label,
    output_value, output_text, confidence, cost, currency, input_tokens, output_tokens, error_type, session_id, user_id,
    input_numbers, input_strings, input_nulls, segments, flags
FROM ai_calls;

CREATE VIEW IF NOT EXISTS quality_daily ${on_cluster} AS
SELECT
    project, use_case, model_version, prompt_version, toDate(started_at) AS day,
    count() AS labels, sum(correct) AS correct_labels, correct_labels / labels AS accuracy
FROM outcomes_latest
WHERE served_by != 'fallback' OR is_probe
GROUP BY project, use_case, model_version, prompt_version, day;

CREATE VIEW IF NOT EXISTS drift_daily ${on_cluster} AS
SELECT project, use_case, labels['field'] AS field, labels, toDate(slot) AS day, argMax(value, evaluated_at) AS psi, argMax(n, evaluated_at) AS calls
FROM evaluations
WHERE evaluator = 'input_psi'
GROUP BY project, use_case, labels, slot;

CREATE VIEW IF NOT EXISTS cost_daily ${on_cluster} AS
SELECT project, use_case, toDate(hour) AS day, currency, sum(calls) AS calls_made, sum(unpriced) AS calls_unpriced, sum(cost) AS known_cost
FROM ai_calls_1h
WHERE segment_name = ''
GROUP BY project, use_case, day, currency;
