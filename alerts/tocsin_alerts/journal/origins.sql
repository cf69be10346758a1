-- What each frozen reference was made of.
SELECT
    project, use_case, model_version, prompt_version,
    argMax(tuple(until, origin), frozen_at).1 AS ends, argMax(tuple(until, origin), frozen_at).2 AS made_of
FROM reference_windows
WHERE kind = 'calls'
GROUP BY project, use_case, model_version, prompt_version
