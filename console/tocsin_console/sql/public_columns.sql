-- The columns of the views that are the public schema, as their comments explain them.
SELECT table AS view_name, name AS column_name, type AS column_type, comment AS column_comment
FROM system.columns
WHERE database = currentDatabase() AND table IN ('calls', 'quality_daily', 'drift_daily', 'cost_daily')
ORDER BY view_name, position
