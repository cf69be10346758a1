-- The prices in force or announced, by model.
SELECT
    project, provider, model, source, valid_from, input_above, currency, input_per_mtok, output_per_mtok,
    cache_read_per_mtok, cache_write_per_mtok, per_call, per_second, source_version, dated, updated_at
FROM prices FINAL
WHERE NOT is_withdrawn
ORDER BY provider, model, project, source, valid_from, input_above
