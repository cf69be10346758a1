-- What is known of each use case: its calls by rollup, never by raw rows.
SELECT
    project, use_case,
    sum(ai_calls_1h.calls) AS calls_made,
    sum(confident) AS calls_confident,
    sum(unpriced) AS calls_unpriced,
    sum(errors) AS calls_failed,
    sumIf(ai_calls_1h.calls, served_by = 'fallback') AS calls_fallback,
    min(hour) AS first_hour,
    max(hour) AS last_hour,
    groupUniqArrayIf(8)(model_version, model_version != '') AS model_versions
FROM ai_calls_1h
WHERE segment_name = ''
GROUP BY project, use_case
ORDER BY project, use_case
