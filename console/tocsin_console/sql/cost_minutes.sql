-- The time that people spent on calls of some days: reviews and support contacts, how many of them say no minutes, and
-- whether contacts were ever recorded.
SELECT
    countIf(kind = 'review' AND in_window AND said) AS reviews, countIf(kind = 'review' AND in_window AND said AND minutes IS NULL) AS reviews_untimed,
    sumIf(ifNull(minutes, 0), kind = 'review' AND in_window AND said) AS review_minutes,
    countIf(kind = 'support' AND in_window) AS contacts, countIf(kind = 'support' AND in_window AND minutes IS NULL) AS contacts_untimed,
    sumIf(ifNull(minutes, 0), kind = 'support' AND in_window) AS support_minutes, countIf(kind = 'support') AS contacts_ever
FROM
(
    SELECT
        kind, minutes, started_at >= {since:DateTime('UTC')} AND started_at < {until:DateTime('UTC')} AS in_window,
        correct IS NOT NULL OR score IS NOT NULL OR label != '' OR minutes IS NOT NULL AS said
    FROM outcomes FINAL
    WHERE project = {project:String} AND use_case = {use_case:String} AND kind IN ('review', 'support')
)
