-- The frozen confidence histogram of one version, whole and by segment.
SELECT segment_name, segment_value, bin, n
FROM reference_windows FINAL
WHERE project = {project:String} AND use_case = {use_case:String}
    AND model_version = {model_version:String} AND prompt_version = {prompt_version:String} AND kind = 'confidence' AND n > 0
ORDER BY ALL
