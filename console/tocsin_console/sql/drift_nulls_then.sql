-- The share of nulls that each field had in the latest reference of one use case; a field that is not named had none.
SELECT names, figures, until
FROM reference_profiles FINAL
WHERE project = {project:String} AND use_case = {use_case:String} AND kind = 'null'
ORDER BY until DESC, model_version DESC, prompt_version DESC
LIMIT 1
