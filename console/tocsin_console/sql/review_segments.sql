-- Segments that moved: less confident by two points than in the four weeks before, or with a share of the calls that has
-- doubled; the most changed first. Either side needs 30 calls.
WITH
    cells AS
    (
        SELECT
            segment_name, segment_value,
            sumIf(n, hour >= {since:DateTime('UTC')}) AS now_calls,
            sumIf(n, hour < {since:DateTime('UTC')}) AS then_calls,
            sumIf(n * tocsin_bin_v1_value(bin), hour >= {since:DateTime('UTC')}) / now_calls AS now_doubt,
            sumIf(n * tocsin_bin_v1_value(bin), hour < {since:DateTime('UTC')}) / then_calls AS then_doubt
        FROM input_histogram_1h
        WHERE project = {project:String} AND use_case = {use_case:String} AND kind = 'confidence' AND field = ''
            AND hour >= {since:DateTime('UTC')} - 2419200 AND hour < {until:DateTime('UTC')}
        GROUP BY segment_name, segment_value
    ),
    (SELECT (any(now_calls), any(then_calls)) FROM cells WHERE segment_name = '') AS totals
SELECT segment_name, segment_value
FROM cells
WHERE segment_name != '' AND now_calls >= 30 AND then_calls >= 30
    AND (now_doubt >= then_doubt + 0.02 OR now_calls / totals.1 >= 2 * then_calls / totals.2 AND now_calls >= 0.05 * totals.1)
ORDER BY now_doubt - then_doubt DESC, segment_name, segment_value
LIMIT 3
