-- How far one version's predicted numbers were from the truth in its reference window, by bin of the prediction, with its calls by bin.
WITH
    verdicts AS
    (
        SELECT tocsin_bin_v1(assumeNotNull(predicted_value)) AS bin, abs(assumeNotNull(predicted_value) - assumeNotNull(value)) AS distance
        FROM outcomes FINAL
        WHERE project = {project:String} AND use_case = {use_case:String}
            AND model_version = {model_version:String} AND prompt_version = {prompt_version:String}
            AND started_at >= {since:DateTime('UTC')} AND started_at < {until:DateTime('UTC')}
            AND kind IN ('review', 'ground_truth') AND (served_by != 'fallback' OR is_probe) AND isFinite(predicted_value) AND isFinite(value)
        ORDER BY kind = 'ground_truth' DESC, observed_at DESC, outcome_id DESC
        LIMIT 1 BY call_id
    )
SELECT toInt32(bin) AS bin, sum(labels) AS labels, sum(total) AS total, sum(squares) AS squares, sum(calls) AS calls
FROM
(
    SELECT bin, count() AS labels, sum(distance) AS total, sum(distance * distance) AS squares, 0 AS calls FROM verdicts GROUP BY bin
    UNION ALL
    SELECT tocsin_bin_v1(assumeNotNull(output_value)) AS bin, 0 AS labels, 0. AS total, 0. AS squares, count() AS calls
    FROM ai_calls
    WHERE project = {project:String} AND use_case = {use_case:String}
        AND model_version = {model_version:String} AND prompt_version = {prompt_version:String}
        AND started_at >= {since:DateTime('UTC')} AND started_at < {until:DateTime('UTC')} AND isFinite(output_value)
    GROUP BY bin
)
GROUP BY bin
ORDER BY bin
SETTINGS do_not_merge_across_partitions_select_final = 1
