-- One page of a use case's calls of a time, those first that are likeliest to be wrong: what is known to be wrong is 1, to be right 0;
-- else by calibration (or confidence), moved by how wrong labelled calls of its segment were; NULL (last) where nothing says anything.
-- What the fallback answered is not the model's; a probe's answer was served to nobody.
SELECT
    call_id, started_at, started_ns, model_version, prompt_version, served_by, is_probe, weight, output_label, output_value, confidence, segments,
    cost, currency, session, person, known, millionths, if(millionths < 0, NULL, millionths / 1e6) AS wrong
FROM
(
    SELECT
        c.call_id AS call_id, c.started_at AS started_at, toUnixTimestamp64Nano(c.started_at) AS started_ns, c.model_version AS model_version,
        c.prompt_version AS prompt_version, c.served_by AS served_by, c.is_probe AS is_probe, c.weight AS weight, c.output_label AS output_label,
        c.output_value AS output_value, c.confidence AS confidence, c.segments AS segments, toFloat64(c.cost) AS cost, c.currency AS currency,
        c.session_id AS session, if(c.user_id = '', '', substring(lower(hex(SHA256(concat(c.project, '\0', c.user_id)))), 1, 16)) AS person,
        l.known AS known, l.correct AS correct,
        multiIf(c.confidence IS NULL, {base:Float64}, empty({knots:Array(Int16)}), 1 - assumeNotNull(c.confidence),
            1 - {precision:Array(Float64)}[greatest(1, arrayLastIndex(knot -> knot <= tocsin_doubt_bin_v1(assumeNotNull(c.confidence)), {knots:Array(Int16)}))]) AS expected,
        arrayFirstIndex((named, valued) -> c.segments[named] = valued, {names:Array(String)}, {values:Array(String)}) AS place,
        if(place = 0, {times:Float64}, {own_times:Array(Float64)}[place]) AS factor,
        toInt32(multiIf(known, if(correct, 0, 1000000), expected < 0, -1, round(1e6 * factor * expected / (1 - expected + factor * expected)))) AS millionths
    FROM ai_calls AS c
    LEFT JOIN
    (
        SELECT call_id, any(outcomes_latest.correct) AS correct, 1 AS known
        FROM outcomes_latest
        WHERE project = {project:String} AND use_case = {use_case:String} AND kind IN ('ground_truth', 'review')
            AND started_at >= {since:DateTime('UTC')} AND started_at < {until:DateTime('UTC')}
        GROUP BY call_id
    ) AS l USING (call_id)
    WHERE c.project = {project:String} AND c.use_case = {use_case:String}
        AND toStartOfHour(c.started_at) >= {since:DateTime('UTC')} AND toStartOfHour(c.started_at) < {until:DateTime('UTC')}
        AND c.served_by != 'fallback' AND c.sign = 1
)
WHERE {is_first:UInt8} OR millionths < {after:Int32} OR millionths = {after:Int32} AND call_id > {after_id:String}
ORDER BY millionths DESC, call_id
LIMIT {size:UInt32}
