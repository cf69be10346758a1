-- When each channel last took something, and whether that was a page or a test.
SELECT channel, max(taken_at) AS reached_at, argMax(what, taken_at) AS by
FROM
(
    SELECT channel, at AS taken_at, if(severity = 'page', 'a page', 'a message') AS what FROM notifications FINAL WHERE state = 'sent'
    UNION ALL
    SELECT subject AS channel, at AS taken_at, 'a test' AS what FROM audit_log WHERE action = 'channel test' AND detail = 'taken'
)
GROUP BY channel
