-- The keys of a stretch's log records that have not been read yet. One that came to a collector too is the same outcome by its id.
INSERT INTO adopted_rows (source, batch, key, happened_at, ingested_at)
SELECT {source:String}, {batch:String}, key, Timestamp, now64(3)
FROM (SELECT Timestamp, ${key} AS key FROM ${table} WHERE ${bounds} AND ${chosen} LIMIT 1 BY key)
WHERE key NOT IN (SELECT key FROM adopted_rows WHERE source = {source:String} AND happened_at >= {since:DateTime('UTC')} AND happened_at < {until:DateTime('UTC')})
