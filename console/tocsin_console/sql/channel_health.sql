-- How each channel fared with what it was to take, ever: when it last took something, and what it was given up on.
SELECT
    channel, countIf(state = 'sent') AS taken_ever, countIf(state = 'dead') AS dead_ever, maxOrNullIf(at, state = 'sent') AS last_taken,
    argMaxIf(error, at, error != '') AS last_error_ever
FROM notifications FINAL
GROUP BY channel
