-- By field, for how many hours with calls in a row it was missing in most of them, at the longest, in a reference window: so long a source
-- is away at times, and comes back.
SELECT field, max(hours) AS longest
FROM
(
    SELECT field, number - place AS run, count() AS hours
    FROM
    (
        SELECT field, number, row_number() OVER (PARTITION BY field ORDER BY number) AS place
        FROM
        (
            SELECT field, toUnixTimestamp(hour) AS at, toFloat64(sum(h.n)) AS missing
            FROM input_histogram_1h AS h
            WHERE project = {project:String} AND use_case = {use_case:String} AND kind = 'null' AND segment_name = ''
                AND model_version = {model_version:String} AND prompt_version = {prompt_version:String}
                AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
            GROUP BY field, at
        ) AS m
        INNER JOIN
        (
            SELECT toUnixTimestamp(hour) AS at, toFloat64(sum(a.calls)) AS calls, row_number() OVER (ORDER BY at) AS number
            FROM ai_calls_1h AS a
            WHERE project = {project:String} AND use_case = {use_case:String} AND segment_name = ''
                AND model_version = {model_version:String} AND prompt_version = {prompt_version:String}
                AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
            GROUP BY at
            HAVING calls > 0
        ) AS t USING (at)
        WHERE missing >= 0.5 * calls
    )
    GROUP BY field, run
)
GROUP BY field
ORDER BY field
