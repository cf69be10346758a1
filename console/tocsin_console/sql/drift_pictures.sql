-- How some fields, confidence, answers and latency lie over the reference's buckets: then, and over some days now. What neither a bucket
-- nor a name of the reference holds comes last; of it the three commonest are named.
WITH
    past AS
    (
        SELECT kind AS what, field, edges, names, figures, n AS then_calls
        FROM reference_profiles FINAL
        WHERE project = {project:String} AND use_case = {use_case:String} AND kind IN ('input', 'confidence', 'output', 'latency')
            AND (kind != 'input' OR field IN {fields:Array(String)})
        ORDER BY until DESC, model_version DESC, prompt_version DESC
        LIMIT 1 BY what, field
    ),
    cells AS
    (
        SELECT
            if(kind IN ('number', 'category'), 'input', toString(kind)) AS what, field, kind IN ('category', 'output') AS is_text, bin, category,
            intDiv(toUnixTimestamp(hour), 86400) AS day, sum(n) AS rows
        FROM input_histogram_1h
        WHERE project = {project:String} AND use_case = {use_case:String} AND kind IN ('number', 'category', 'confidence', 'output', 'latency')
            AND segment_name = '' AND field IN arrayPushBack({fields:Array(String)}, '')
            AND intDiv(toUnixTimestamp(hour), 86400) >= intDiv(toUnixTimestamp({since:DateTime('UTC')}), 86400)
            AND intDiv(toUnixTimestamp(hour), 86400) < intDiv(toUnixTimestamp({until:DateTime('UTC')}), 86400)
        GROUP BY what, field, is_text, bin, category, day
    ),
    present AS
    (
        SELECT
            what, field, sum(cell_rows) AS calls, groupArray(if(is_text, 32767, bin)) AS bins, groupArray(if(is_text, category, '\0')) AS texts,
            groupArray(cell_rows) AS counts
        FROM (SELECT what, field, is_text, bin, category, sum(rows) AS cell_rows FROM cells GROUP BY ALL HAVING cell_rows > 0)
        GROUP BY what, field
    )
SELECT
    past.what AS what, past.field AS field, arrayMap(edge -> if(edge = -32768, NULL, tocsin_bin_v1_value(edge)), edges) AS starts, names, figures, then_calls, calls,
    arrayConcat(tocsin_bucket_counts_v1(edges, bins, counts), arrayMap(k -> arraySum((v, c) -> if(v = k, c, 0), texts, counts), names)) AS seen,
    arraySlice(arrayReverseSort(new -> new.2, arrayFilter(new -> new.1 != '\0' AND NOT has(names, new.1), arrayZip(texts, counts))), 1, 3) AS newcomers
FROM past INNER JOIN present ON past.what = present.what AND past.field = present.field
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, short_circuit_function_evaluation = 'disable'
