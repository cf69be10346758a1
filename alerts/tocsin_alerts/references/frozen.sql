-- Every frozen reference, and how far its calibration is.
SELECT
    r.project AS project, r.use_case AS use_case, r.model_version AS model_version, r.prompt_version AS prompt_version,
    r.since AS since, r.until AS until, r.origin AS origin, r.n AS calls,
    c.fitted_at AS fitted_at, c.n AS labels, c.accuracy AS accuracy,
    if(p.owner_row, p.label_delay_s, 604800) AS label_delay_s
FROM (SELECT * FROM reference_windows FINAL WHERE kind = 'calls') AS r
LEFT JOIN (SELECT * FROM calibrations FINAL) AS c USING (project, use_case, model_version, prompt_version)
LEFT JOIN (SELECT project, use_case, label_delay_s, 1 AS owner_row FROM plans FINAL) AS p
    ON p.project = r.project AND p.use_case = r.use_case
