-- Of labelled calls of a time, by segment and over all (named ''): how many were wrong, and how many were expected to be.
SELECT
    part.1 AS name, part.2 AS value, count() AS n, sum(weight * (1 - correct)) / sum(weight) AS wrong, sum(weight * expected) / sum(weight) AS expected_wrong
FROM
(
    SELECT
        if(weight > 0, weight, 1) AS weight, correct,
        if(empty({knots:Array(Int16)}), 1 - assumeNotNull(confidence),
            1 - {precision:Array(Float64)}[greatest(1, arrayLastIndex(knot -> knot <= tocsin_doubt_bin_v1(assumeNotNull(confidence)), {knots:Array(Int16)}))]) AS expected,
        arrayPushFront(arrayZip(mapKeys(segments), mapValues(segments)), ('', '')) AS parts
    FROM outcomes_latest
    WHERE project = {project:String} AND use_case = {use_case:String} AND kind IN ('ground_truth', 'review') AND confidence IS NOT NULL
        AND served_by != 'fallback' AND started_at >= {since:DateTime('UTC')} AND started_at < {until:DateTime('UTC')}
)
ARRAY JOIN parts AS part
GROUP BY name, value
HAVING n >= {least:UInt32}
ORDER BY n DESC, name, value
LIMIT 1000
