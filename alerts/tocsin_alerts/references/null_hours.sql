-- By field, how many times more the share of missing values scatters between a version's hours than it would if calls were
-- independent (Pearson's dispersion): gaps come in whole hours where a source is away.
WITH hours AS
(
    SELECT toUnixTimestamp(hour) AS at, toFloat64(sum(a.calls)) AS calls
    FROM ai_calls_1h AS a
    WHERE project = {project:String} AND use_case = {use_case:String} AND segment_name = ''
        AND model_version = {model_version:String} AND prompt_version = {prompt_version:String}
        AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
        AND NOT arrayExists((out_a, out_b) -> toUnixTimestamp(hour) >= out_a AND toUnixTimestamp(hour) < out_b, {left_out_since:Array(UInt32)}, {left_out_until:Array(UInt32)})
    GROUP BY at
    HAVING calls > 0
)
SELECT
    field,
    greatest(1., (sum(pow(missing - calls * overall, 2) / (calls * overall * (1 - overall)))
        + any(overall) / (1 - any(overall)) * (any(all_calls) - sum(calls))) / greatest(1., any(all_hours) - 1.)) AS dispersion
FROM
(
    SELECT field, missing, calls, all_calls, all_hours, sum(missing) OVER (PARTITION BY field) / all_calls AS overall
    FROM
    (
        SELECT field, toUnixTimestamp(hour) AS at, toFloat64(sum(h.n)) AS missing
        FROM input_histogram_1h AS h
        WHERE project = {project:String} AND use_case = {use_case:String} AND kind = 'null' AND segment_name = ''
            AND model_version = {model_version:String} AND prompt_version = {prompt_version:String}
            AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
        GROUP BY field, at
        HAVING missing > 0
    ) AS m
    INNER JOIN hours USING (at)
    CROSS JOIN (SELECT sum(h.calls) AS all_calls, count() AS all_hours FROM hours AS h) AS whole
)
WHERE overall < 1
GROUP BY field
ORDER BY field
