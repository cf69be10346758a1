-- How often each rule began to fire: in a week, and ever.
SELECT
    rule, countIf(slot >= {since:DateTime64(3, 'UTC')} AND slot < {until:DateTime64(3, 'UTC')}) AS in_week,
    uniqExactIf((project, use_case), slot >= {since:DateTime64(3, 'UTC')} AND slot < {until:DateTime64(3, 'UTC')}) AS use_cases,
    count() AS ever, max(slot) AS last_slot
FROM alert_events FINAL
WHERE to_state = 'firing' AND from_state != 'recovering' AND labels['overlay'] = ''
GROUP BY rule
