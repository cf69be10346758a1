-- By field, the share that its commonest value had on the third most uniform day of a reference window: a date, a batch, a Sunday's default
-- hold one value for a day, day after day. The third, so that an accident on one or two days is not what is ordinary.
SELECT field, arrayReverseSort(groupArray(share))[least(3, count())] AS ordinary, count() AS days
FROM
(
    SELECT field, day, max(of_value) / sum(of_value) AS share
    FROM
    (
        SELECT field, kind, toStartOfDay(hour, 'UTC') AS day, bin, category, sum(h.n) AS of_value
        FROM input_histogram_1h AS h
        WHERE project = {project:String} AND use_case = {use_case:String} AND kind IN ('number', 'category') AND segment_name = ''
            AND model_version = {model_version:String} AND prompt_version = {prompt_version:String}
            AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
            AND NOT arrayExists((out_a, out_b) -> toUnixTimestamp(hour) >= out_a AND toUnixTimestamp(hour) < out_b, {left_out_since:Array(UInt32)}, {left_out_until:Array(UInt32)})
        GROUP BY field, kind, day, bin, category
    )
    GROUP BY field, day
    HAVING sum(of_value) >= {least:UInt64}
)
GROUP BY field
ORDER BY field
