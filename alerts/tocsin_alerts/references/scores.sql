-- What labels of one version's reference window say beside right and wrong: each figure by the name under which evaluators find it.
WITH verdicts AS
(
    SELECT
        kind IN ('review', 'ground_truth') AS is_sure, kind = 'feedback' AS is_feedback, kind = 'review' AS is_review, source, confidence, score, predicted_value, value,
        if(weight > 0, weight, 1) AS stands, ifNull(correct, score >= 0.5) AS is_right,
        is_sure AND is_right IS NOT NULL AND confidence >= 0 AND confidence <= 1 AS is_scored
    FROM outcomes FINAL
    WHERE project = {project:String} AND use_case = {use_case:String}
        AND model_version = {model_version:String} AND prompt_version = {prompt_version:String}
        AND started_at >= {since:DateTime('UTC')} AND started_at < {until:DateTime('UTC')}
        AND kind IN ('feedback', 'review', 'ground_truth') AND (served_by != 'fallback' OR is_probe)
        AND NOT arrayExists((out_a, out_b) -> toUnixTimestamp(started_at) >= out_a AND toUnixTimestamp(started_at) < out_b, {left_out_since:Array(UInt32)}, {left_out_until:Array(UInt32)})
    ORDER BY kind = 'ground_truth' DESC, observed_at DESC, outcome_id DESC
    LIMIT 1 BY call_id, is_feedback, if(source IN ('rank', 'ndcg'), source, '')
)
SELECT figure.1 AS name, figure.2 AS value, figure.3 AS n
FROM
(
    SELECT [
        ('brier', avgIf(pow(ifNull(confidence, 0) - ifNull(is_right, 0), 2), is_scored), countIf(is_scored)),
        ('ece', arraySum(gap -> abs(gap), tupleElement(sumMapIf([least(9, floor(ifNull(confidence, 0) * 10))], [ifNull(is_right, 0) - ifNull(confidence, 0)], is_scored), 2))
            / countIf(is_scored), countIf(is_scored)),
        ('feedback', avgIf(ifNull(is_right, 0), is_feedback AND is_right IS NOT NULL), countIf(is_feedback AND is_right IS NOT NULL)),
        ('mae', avgIf(abs(ifNull(predicted_value, 0) - ifNull(value, 0)), is_sure AND isFinite(predicted_value) AND isFinite(value)),
            countIf(is_sure AND isFinite(predicted_value) AND isFinite(value))),
        ('mrr', avgIf(if(value >= 1, 1 / greatest(1, ifNull(value, 1)), 0), is_sure AND source = 'rank' AND value >= 0), countIf(is_sure AND source = 'rank' AND value >= 0)),
        ('first', avgIf(ifNull(value, 0) = 1, is_sure AND source = 'rank' AND value >= 0), countIf(is_sure AND source = 'rank' AND value >= 0)),
        ('ndcg', avgIf(multiIf(source = 'ndcg', least(1., ifNull(value, 0)), value >= 1, 1 / log2(1 + greatest(1., ifNull(value, 1))), 0.), is_sure AND source = gains AND value >= 0),
            countIf(is_sure AND source = gains AND value >= 0)),
        ('review_score', sumIf(stands * ifNull(score, 0), is_review AND score >= 0 AND score <= 1) / sumIf(stands, is_review AND score >= 0 AND score <= 1),
            countIf(is_review AND score >= 0 AND score <= 1))
    ] AS every
    FROM (SELECT *, if(countIf(source = 'ndcg') OVER () > 0, 'ndcg', 'rank') AS gains FROM verdicts)
)
ARRAY JOIN every AS figure
WHERE n >= 20
ORDER BY name
SETTINGS do_not_merge_across_partitions_select_final = 1
