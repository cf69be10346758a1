-- How many labelled calls some days have.
SELECT count() AS labelled
FROM outcomes
WHERE project = {project:String} AND use_case = {use_case:String} AND confidence IS NOT NULL
    AND started_at >= {since:DateTime64(3, 'UTC')} AND started_at < {until:DateTime64(3, 'UTC')}
