-- Outcomes that have arrived since the last look, of calls whose slots may have been told already.
SELECT count() AS outcomes, min(started_at) AS first_call, max(ingested_at) AS newest
FROM outcomes
WHERE started_at >= {since:DateTime64(3, 'UTC')} AND started_at < {until:DateTime64(3, 'UTC')} AND ingested_at > {after:DateTime64(3, 'UTC')}
