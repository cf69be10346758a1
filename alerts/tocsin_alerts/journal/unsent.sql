-- What was not sent before the last end of the process.
SELECT * FROM notifications FINAL WHERE state = 'pending' ORDER BY slot, transition, notification
