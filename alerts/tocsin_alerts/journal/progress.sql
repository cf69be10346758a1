-- How far each use case is from a reference of its own.
SELECT
    seen.project AS project, seen.use_case AS use_case, seen.calls_made AS calls, seen.calls_confident AS confident, seen.first_hour AS first_hour,
    seen.last_hour AS last_hour, frozen.versions > 0 AS has_reference
FROM
(
    SELECT project, use_case, sum(calls) AS calls_made, sum(confident) AS calls_confident, min(hour) AS first_hour, max(hour) AS last_hour
    FROM ai_calls_1h
    WHERE segment_name = '' AND served_by != 'fallback'
    GROUP BY project, use_case
) AS seen
LEFT JOIN
(
    SELECT project, use_case, uniqExact(model_version, prompt_version) AS versions
    FROM reference_windows
    GROUP BY project, use_case
) AS frozen USING (project, use_case)
