-- How many incidents that paged go on.
SELECT uniqExact(incident) AS pages_open FROM standing_alerts WHERE severity = 'page' AND state IN ('firing', 'recovering') AND incident != ''
