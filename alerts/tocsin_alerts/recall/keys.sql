-- The callers' own keys of some calls.
SELECT call_id, any(business_key) AS own_key
FROM call_keys
WHERE project = {project:String} AND started_at >= {since:DateTime64(9, 'UTC')} AND started_at <= {until:DateTime64(9, 'UTC')}
    AND call_id IN {ids:Array(String)}
GROUP BY call_id
