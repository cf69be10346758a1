-- The plans that the table holds; one that was withdrawn has no text.
SELECT project, use_case, updated_at, plan = '' AS is_withdrawn
FROM plans FINAL
