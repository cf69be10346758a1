-- What a version's reference is made of at present, its number of calls apart.
SELECT kind, field, segment_name, segment_value, bin, category
FROM reference_windows FINAL
WHERE project = {project:String} AND use_case = {use_case:String}
    AND model_version = {model_version:String} AND prompt_version = {prompt_version:String} AND kind != 'calls' AND n > 0
