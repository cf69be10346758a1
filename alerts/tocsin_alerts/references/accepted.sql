-- The versions that may have a reference of their own.
SELECT project, use_case, model_version, prompt_version, accepted_at, accepted_by, reason FROM releases FINAL
