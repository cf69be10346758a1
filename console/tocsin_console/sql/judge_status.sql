-- What the judges have done and cost, by use case and judge.
SELECT
    project, use_case, source, any(currency) AS in_currency,
    countIf(state = 'judged') AS judged, countIf(state = 'failed') AS failed, countIf(state = 'reserved') AS lost,
    countIf(state = 'judged' AND correct = 1) AS found_right, sumIf(ifNull(cost, reserved), state != 'open') AS spent,
    argMaxIf(reason, at, state = 'failed') AS last_failure, max(day) AS last_day
FROM judge_verdicts FINAL
WHERE {use_case:String} = '' OR use_case = {use_case:String}
GROUP BY project, use_case, source
ORDER BY project, use_case, source
