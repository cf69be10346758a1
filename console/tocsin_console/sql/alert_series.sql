-- What an evaluator said of one series over a time, slot by slot: with the rule's own parameters where there are such, else with any.
SELECT slot, value, lower, upper, baseline, n
FROM
(
    SELECT
        slot, argMax(tuple(value), (is_own, evaluated_at)).1 AS value, argMax(tuple(lower), (is_own, evaluated_at)).1 AS lower,
        argMax(tuple(upper), (is_own, evaluated_at)).1 AS upper, argMax(tuple(baseline), (is_own, evaluated_at)).1 AS baseline,
        argMax(n, (is_own, evaluated_at)) AS n, max(is_own) AS owned
    FROM
    (
        SELECT slot, value, lower, upper, baseline, n, evaluated_at, evaluator_hash = {hash:String} AS is_own
        FROM evaluations FINAL
        WHERE project = {project:String} AND use_case = {use_case:String} AND evaluator = {evaluator:String} AND arraySort(arrayMap((name_of, value_of) -> concat(name_of, '=', value_of), mapKeys(labels), mapValues(labels))) = {labels:Array(String)}
            AND slot >= {since:DateTime64(3)} AND slot <= {until:DateTime64(3)}
    )
    GROUP BY slot
)
ORDER BY slot DESC
LIMIT {most:UInt32}
