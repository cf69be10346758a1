-- The version that answers now, and the calibration in force of it.
SELECT v.model_version AS model_version, v.prompt_version AS prompt_version, k.bins AS bins, k.precision AS precision, k.n AS n, k.accuracy AS accuracy
FROM
(
    SELECT model_version, prompt_version, sum(calls) AS made
    FROM ai_calls_1h
    WHERE project = {project:String} AND use_case = {use_case:String} AND segment_name = '' AND served_by != 'fallback'
        AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
    GROUP BY model_version, prompt_version
    ORDER BY made DESC
    LIMIT 1
) AS v
LEFT JOIN
(
    SELECT model_version, prompt_version, bins, precision, n, accuracy
    FROM calibrations FINAL
    WHERE project = {project:String} AND use_case = {use_case:String}
) AS k USING (model_version, prompt_version)
