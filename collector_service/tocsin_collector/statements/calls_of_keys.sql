-- Which calls carry these keys of their caller's; of each key the last hundred.
SELECT DISTINCT business_key, call_id, started_at
FROM call_keys
WHERE project = {project:String} AND business_key IN {keys:Array(String)}
ORDER BY business_key, started_at DESC, call_id
LIMIT 100 BY business_key
