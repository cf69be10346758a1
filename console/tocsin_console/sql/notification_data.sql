-- What the last message of an incident said, as data.
SELECT JSONExtractRaw(body, 'message', 'data') AS data
FROM notifications FINAL
WHERE incident = {incident:String}
ORDER BY slot DESC, at DESC
LIMIT 1
