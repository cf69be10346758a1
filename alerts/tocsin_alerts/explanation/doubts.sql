-- The calls and the error estimated for them: of each day (segment ''), and of each segment before and after a moment.
-- A doubt bin is as often wrong as the calibration says; without one, as often as the model doubts itself.
SELECT
    if(segment_name = '', toDate(hour, 'UTC'), if(hour >= {now:DateTime('UTC')}, toDate({now:DateTime('UTC')}, 'UTC'), toDate({since:DateTime('UTC')}, 'UTC'))) AS day,
    segment_name, segment_value, sum(n) AS calls,
    sum(n * if(empty({knots:Array(Int16)}), least(1, tocsin_bin_v1_value(bin)),
        1 - {precision:Array(Float64)}[greatest(1, arrayLastIndex(knot -> knot <= bin, {knots:Array(Int16)}))])) / calls AS error
FROM input_histogram_1h
WHERE project = {project:String} AND use_case = {use_case:String} AND kind = 'confidence' AND field = ''
    AND hour >= {since:DateTime('UTC')} AND hour < {slot:DateTime('UTC')}
    AND (segment_name = '' OR hour >= {now:DateTime('UTC')} OR hour >= {then:DateTime('UTC')} AND hour < {then_until:DateTime('UTC')})
GROUP BY day, segment_name, segment_value
HAVING calls > 0
ORDER BY day, segment_name, segment_value
