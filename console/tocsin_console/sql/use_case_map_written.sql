-- The mapping as the table holds it, withdrawn entries too.
SELECT project, position, use_case, updated_at FROM use_case_map FINAL ORDER BY project, position
