-- How likely each own call is to be right: by the calibration, else by its confidence, else as all are; and whether it was.
INSERT INTO own_sure
SELECT
    c.call_id AS call_id, toDate(started_at) AS day,
    multiIf(confidence IS NULL, {base:Float64}, empty({knots:Array(Int16)}), assumeNotNull(confidence),
        {precision:Array(Float64)}[greatest(1, arrayLastIndex(knot -> knot <= tocsin_doubt_bin_v1(assumeNotNull(confidence)), {knots:Array(Int16)}))]) AS sure,
    if(l.known, toFloat64(l.correct), sure) AS right
FROM (SELECT call_id, started_at, confidence FROM own_calls LIMIT 1 BY call_id) AS c
LEFT JOIN (SELECT call_id, any(own_labels.correct) AS correct, 1 AS known FROM own_labels GROUP BY call_id) AS l USING (call_id)
