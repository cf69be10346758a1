-- A sample of fixed size with the given probabilities: Pareto sampling, whose random numbers are hashes of the calls' ids,
-- so that the same draw comes out again. Source: Rosén (1997), On Sampling with Probability Proportional to Size.
SELECT
    call_id, started_at, confident, unsure, in_moved, row_weight, chance
FROM
(
    SELECT
        call_id, started_at, weight AS row_weight,
        confidence IS NOT NULL AND confidence >= {high:Float64} AS confident,
        confidence IS NOT NULL AND confidence <= {low:Float64} AND NOT confident AS unsure,
        arrayExists(moved -> segments[moved.1] = moved.2, {moved:Array(Tuple(String, String))}) AS in_moved,
        {chances:Array(Float64)}[1 + confident + 2 * unsure + 4 * in_moved] AS chance,
        (sipHash64({seed:String}, call_id) + 0.5) / 18446744073709551616 AS drawn
    FROM ai_calls
    WHERE project = {project:String} AND use_case = {use_case:String}
        AND toStartOfHour(started_at) >= {since:DateTime('UTC')} AND toStartOfHour(started_at) < {until:DateTime('UTC')}
        AND (served_by != 'fallback' OR is_probe) AND error_type = ''
        AND ({of_kept:UInt8} = 0 OR call_id GLOBAL IN
        (
            SELECT call_id FROM call_content
            WHERE project = {project:String} AND kind = 'output' AND pick = 'review'
                AND at >= {since:DateTime('UTC')} - 86400 AND at < {until:DateTime('UTC')} + 86400
        ))
)
ORDER BY if(chance >= 1, 0, drawn / (1 - drawn) * (1 - chance) / chance), call_id
LIMIT 1 BY call_id
LIMIT {size:UInt32}
