-- The histograms of one version over its reference window; by segment only for confidence.
SELECT kind, field, segment_name, segment_value, bin, category, sum(n) AS n
FROM input_histogram_1h
WHERE project = {project:String} AND use_case = {use_case:String}
    AND model_version = {model_version:String} AND prompt_version = {prompt_version:String}
    AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')} AND (segment_name = '' OR kind = 'confidence')
    AND NOT arrayExists((out_a, out_b) -> toUnixTimestamp(hour) >= out_a AND toUnixTimestamp(hour) < out_b, {left_out_since:Array(UInt32)}, {left_out_until:Array(UInt32)})
GROUP BY ALL
HAVING n > 0
ORDER BY ALL
