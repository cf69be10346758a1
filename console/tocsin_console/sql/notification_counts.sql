-- How far the outbox has come.
SELECT state, count() AS notifications_known FROM notifications FINAL GROUP BY state
