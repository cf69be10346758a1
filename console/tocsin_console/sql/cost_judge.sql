-- What judging calls of some days cost; where a cost is unknown, as much as was reserved.
SELECT currency AS in_currency, count() AS asked, countIf(cost IS NULL) AS asked_unpriced, toFloat64(sum(ifNull(cost, reserved))) AS judge_cost
FROM judge_verdicts FINAL
WHERE project = {project:String} AND use_case = {use_case:String} AND state != 'open'
    AND spent_on >= toDate({since:DateTime('UTC')}) AND spent_on <= toDate({until:DateTime('UTC')})
GROUP BY in_currency
ORDER BY in_currency
