-- The shapes of a version's reference that may have no successor when it is frozen again: a field that is gone.
SELECT kind, field
FROM reference_profiles FINAL
WHERE project = {project:String} AND use_case = {use_case:String} AND model_version = {model_version:String}
    AND prompt_version = {prompt_version:String} AND kind IN ('confidence', 'confidence_day', 'input', 'number', 'stuck_day', 'output', 'latency') AND n > 0
