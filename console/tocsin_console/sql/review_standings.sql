-- How far the latest draw of each use case has come.
SELECT
    r.project AS project, r.use_case AS use_case, r.week AS week, r.last_hour AS last_hour,
    count() AS size, countIf(i.state = 'scored') AS scored
FROM
(
    SELECT project, use_case, week, draw, until AS last_hour FROM reviews FINAL ORDER BY week DESC LIMIT 1 BY project, use_case
) AS r
INNER JOIN (SELECT project, use_case, week, draw, state FROM review_items FINAL WHERE stratum != 'picked') AS i USING (project, use_case, week, draw)
GROUP BY project, use_case, week, last_hour
ORDER BY project, use_case
