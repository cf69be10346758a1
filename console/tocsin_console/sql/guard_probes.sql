-- What probes of a model that does not serve have shown: how many there were, of how many the truth is known, and how many of those were right.
SELECT
    (
        SELECT toInt64(sum(probes)) FROM ai_calls_1h
        WHERE project = {project:String} AND use_case = {use_case:String} AND segment_name = ''
            AND hour >= toStartOfHour({since:DateTime64(3, 'UTC')}) AND hour <= {until:DateTime64(3, 'UTC')}
    ) AS probes_made,
    count() AS probes_known, countIf(is_right = 1) AS probes_right
FROM
(
    SELECT call_id, argMax(correct, observed_at) AS is_right
    FROM outcomes FINAL
    WHERE project = {project:String} AND use_case = {use_case:String} AND is_probe AND correct IS NOT NULL
        AND started_at >= {since:DateTime64(3, 'UTC')} AND started_at < {until:DateTime64(3, 'UTC')}
    GROUP BY call_id
)
