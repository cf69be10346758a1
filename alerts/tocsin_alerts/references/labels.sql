-- What labels say of one version's calls in its reference window, by segment and doubt bin (-1: the call gave no confidence).
-- Calls and right_calls are of the labels that nobody drew, if there are 50; else each stands for as many calls as its weight says.
-- A judge's word counts only where people and the truth have fewer than 50 of the calls: its errors would be the reference's.
WITH verdicts AS
(
    SELECT segments, confidence, kind, weight, kind IN ('review', 'judge') AND weight > 1 AS is_drawn, ifNull(correct, score >= 0.5) AS is_right
    FROM outcomes FINAL
    WHERE project = {project:String} AND use_case = {use_case:String}
        AND model_version = {model_version:String} AND prompt_version = {prompt_version:String}
        AND started_at >= {since:DateTime('UTC')} AND started_at < {until:DateTime('UTC')}
        AND kind != 'support' AND (served_by != 'fallback' OR is_probe) AND (correct IS NOT NULL OR score IS NOT NULL)
        AND NOT arrayExists((out_a, out_b) -> toUnixTimestamp(started_at) >= out_a AND toUnixTimestamp(started_at) < out_b, {left_out_since:Array(UInt32)}, {left_out_until:Array(UInt32)})
    ORDER BY indexOf(['feedback', 'judge', 'review', 'ground_truth'], kind) DESC, observed_at DESC, outcome_id
    LIMIT 1 BY call_id
)
SELECT
    segment.1 AS segment_name, segment.2 AS segment_value,
    if(confidence IS NULL, -1, tocsin_doubt_bin_v1(assumeNotNull(confidence))) AS bin, count() AS labels, sum(assumeNotNull(is_right)) AS hits,
    sum(stands) AS calls, sum(stands * assumeNotNull(is_right)) AS right_calls
FROM
(
    SELECT
        *, countIf(kind IN ('review', 'ground_truth')) OVER () AS facts,
        multiIf(countIf(NOT is_drawn) OVER () >= 50, toFloat64(NOT is_drawn), is_drawn, weight, 1.) AS stands
    FROM verdicts
)
ARRAY JOIN arrayPushFront(arrayZip(mapKeys(segments), mapValues(segments)), ('', '')) AS segment
WHERE kind != 'judge' OR facts < 50
GROUP BY ALL
ORDER BY ALL
SETTINGS do_not_merge_across_partitions_select_final = 1
