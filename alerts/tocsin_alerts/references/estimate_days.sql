-- The confidence histogram of each whole day of one version's reference window.
SELECT intDiv(toUnixTimestamp(hour), 86400) AS day, bin, sum(n) AS n
FROM input_histogram_1h
WHERE project = {project:String} AND use_case = {use_case:String} AND kind = 'confidence' AND segment_name = ''
    AND model_version = {model_version:String} AND prompt_version = {prompt_version:String}
    AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
GROUP BY ALL
HAVING n > 0
ORDER BY ALL
