-- How far the confidence of the most unlike day of a reference window is from the whole of it: what an ordinary day may be (PSI, debiased).
SELECT max(greatest(0., tocsin_psi_v1(tocsin_bucket_counts_v1({edges:Array(Int16)}, bins, counts), {figures:Array(Float64)}, calls, {n:UInt64}))) AS farthest, count() AS days
FROM
(
    SELECT groupArray(bin) AS bins, groupArray(of_bin) AS counts, sum(of_bin) AS calls
    FROM
    (
        SELECT toStartOfDay(hour, 'UTC') AS day, bin, sum(h.n) AS of_bin
        FROM input_histogram_1h AS h
        WHERE project = {project:String} AND use_case = {use_case:String} AND kind = 'confidence' AND segment_name = ''
            AND model_version = {model_version:String} AND prompt_version = {prompt_version:String}
            AND hour >= {since:DateTime('UTC')} AND hour < {until:DateTime('UTC')}
            AND NOT arrayExists((out_a, out_b) -> toUnixTimestamp(hour) >= out_a AND toUnixTimestamp(hour) < out_b, {left_out_since:Array(UInt32)}, {left_out_until:Array(UInt32)})
        GROUP BY day, bin
    )
    GROUP BY day
    HAVING calls >= {least:UInt64}
)
