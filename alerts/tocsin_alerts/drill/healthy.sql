-- The weeks that a version is compared with, where they are four whole ones of calls.
SELECT since, until
FROM reference_windows FINAL
WHERE project = {project:String} AND use_case = {use_case:String} AND kind = 'calls' AND origin = ''
    AND (model_version, prompt_version) = ({model_version:String}, {prompt_version:String})
ORDER BY until DESC
LIMIT 1
