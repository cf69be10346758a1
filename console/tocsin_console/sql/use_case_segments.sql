-- Accuracy of each segment of one use case at each midnight of some days; of several versions, the one with most behind it.
SELECT segment, segment_value, toDate(at_slot) AS day, argMax(tuple(share), behind).1 AS accuracy
FROM
(
    SELECT
        labels['segment_name'] AS segment, labels['segment_value'] AS segment_value, labels, slot AS at_slot,
        argMax(tuple(value), evaluated_at).1 AS share, argMax(n, evaluated_at) AS behind
    FROM evaluations
    WHERE project = {project:String} AND use_case = {use_case:String} AND evaluator = 'segment_accuracy'
        AND slot > {since:DateTime64(3, 'UTC')} AND slot <= {until:DateTime64(3, 'UTC')} AND toStartOfDay(slot) = slot
    GROUP BY segment, segment_value, labels, at_slot
)
GROUP BY segment, segment_value, day
ORDER BY segment, segment_value, day
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0
