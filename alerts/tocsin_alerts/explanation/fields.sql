-- Of a sample of the calls before and after a moment: each field's values, how many calls had them, and their estimated error.
SELECT
    cell.1 AS kind, cell.2 AS field, cell.3 AS bin, cell.4 AS category,
    countIf(is_now) AS now_calls, countIf(NOT is_now) AS then_calls,
    sumIf(error, is_now) / greatest(1, now_calls) AS now_error, sumIf(error, NOT is_now) / greatest(1, then_calls) AS then_error
FROM
(
    SELECT
        started_at >= {now:DateTime('UTC')} AS is_now,
        if(empty({knots:Array(Int16)}), 1 - assumeNotNull(confidence),
            1 - {precision:Array(Float64)}[greatest(1, arrayLastIndex(knot -> knot <= tocsin_doubt_bin_v1(assumeNotNull(confidence)), {knots:Array(Int16)}))]) AS error,
        arrayConcat(
            arrayMap((k, v) -> ('number', toString(k), tocsin_bin_v1(v), ''), mapKeys(input_numbers), mapValues(input_numbers)),
            arrayMap((k, v) -> ('category', toString(k), toInt16(0), substring(v, 1, 64)), mapKeys(input_strings), mapValues(input_strings)),
            arrayMap(k -> ('null', toString(k), toInt16(0), ''), input_nulls)) AS cells
    FROM ai_calls
    WHERE project = {project:String} AND use_case = {use_case:String}
        AND (toStartOfHour(started_at) >= {now:DateTime('UTC')} AND toStartOfHour(started_at) < {slot:DateTime('UTC')}
            OR toStartOfHour(started_at) >= {then:DateTime('UTC')} AND toStartOfHour(started_at) < {then_until:DateTime('UTC')})
        AND confidence IS NOT NULL AND (served_by != 'fallback' OR is_probe)
        AND cityHash64(call_id) % {one_of:UInt32} = 0
)
ARRAY JOIN cells AS cell
GROUP BY kind, field, bin, category
ORDER BY kind, field, bin, category
LIMIT 100000
