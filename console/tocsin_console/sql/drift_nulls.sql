-- How often each input field of one use case was given and how often it was null, over some days.
SELECT field, sumIf(rows, kind = 'null') AS nulls, sumIf(rows, kind != 'null') AS given, max(kind = 'category') AS is_text
FROM
(
    SELECT kind, field, intDiv(toUnixTimestamp(hour), 86400) AS day, sum(n) AS rows
    FROM input_histogram_1h
    WHERE project = {project:String} AND use_case = {use_case:String} AND kind IN ('number', 'category', 'null') AND segment_name = ''
        AND intDiv(toUnixTimestamp(hour), 86400) >= intDiv(toUnixTimestamp({since:DateTime('UTC')}), 86400)
        AND intDiv(toUnixTimestamp(hour), 86400) < intDiv(toUnixTimestamp({until:DateTime('UTC')}), 86400)
    GROUP BY kind, field, day
)
GROUP BY field
ORDER BY field
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0
