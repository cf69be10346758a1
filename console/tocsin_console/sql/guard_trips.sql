-- How often rules tripped each guard in a time.
SELECT project, use_case, count() AS trips
FROM guard_events FINAL
WHERE applied AND mode = 'automatic' AND state != 'normal' AND since > {since:DateTime64(3)} AND since <= {until:DateTime64(3)}
GROUP BY project, use_case
