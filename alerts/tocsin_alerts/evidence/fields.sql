-- The middle and the commonest categories of some fields: the last seven days beside the latest reference window.
WITH cells AS
(
    SELECT 'now' AS era, field, kind, bin, category, toUInt64(sum(n)) AS calls
    FROM input_histogram_1h
    WHERE project = {project:String} AND use_case = {use_case:String} AND kind IN ('number', 'category')
        AND field IN {fields:Array(String)} AND segment_name = ''
        AND hour >= {slot:DateTime('UTC')} - 604800 AND hour < {slot:DateTime('UTC')}
    GROUP BY field, kind, bin, category
    UNION ALL
    SELECT 'then', field, kind, bin, category, toUInt64(n)
    FROM reference_windows FINAL
    WHERE project = {project:String} AND use_case = {use_case:String} AND kind IN ('number', 'category')
        AND field IN {fields:Array(String)} AND segment_name = ''
        AND (until, model_version, prompt_version) =
        (
            SELECT max((until, model_version, prompt_version)) FROM reference_windows
            WHERE project = {project:String} AND use_case = {use_case:String} AND kind = 'calls' AND until <= {slot:DateTime('UTC')}
        )
)
SELECT
    era, field, kind, sum(calls) AS total, tocsin_bin_v1_value(quantileExactWeighted(0.5)(bin, calls)) AS median,
    groupArrayIf((category, calls), kind = 'category') AS categories
FROM cells
GROUP BY era, field, kind
ORDER BY era, field, kind
