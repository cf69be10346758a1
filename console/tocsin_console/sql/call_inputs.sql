-- Where the inputs of one call lie in the reference of its version: of numbers, which share of it lies lower or in the same bin, and higher
-- or in the same; of categories, which share has the same.
SELECT
    field, kind, sum(n) AS calls,
    sumIf(n, kind = 'number' AND bin <= its_bin) / calls AS at_most, sumIf(n, kind = 'number' AND bin >= its_bin) / calls AS at_least,
    sumIf(n, kind = 'category' AND category = its_category) / calls AS same
FROM
(
    SELECT
        field, kind, bin, category, n,
        tocsin_bin_v1({numbers:Array(Float64)}[indexOf({number_fields:Array(String)}, field)]) AS its_bin,
        {texts:Array(String)}[indexOf({text_fields:Array(String)}, field)] AS its_text, if(length(its_text) <= 64, its_text, '(long)') AS its_category
    FROM reference_windows FINAL
    WHERE project = {project:String} AND use_case = {use_case:String} AND model_version = {model_version:String} AND prompt_version = {prompt_version:String}
        AND segment_name = ''
        AND (kind = 'number' AND has({number_fields:Array(String)}, field) OR kind = 'category' AND has({text_fields:Array(String)}, field))
)
GROUP BY field, kind
HAVING calls > 0
