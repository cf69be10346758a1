-- What the judge's requests of one day cost, where unknown as much as was reserved for them.
SELECT sum(ifNull(cost, reserved)) AS spent
FROM judge_verdicts FINAL
WHERE spent_on = {day:Date} AND currency = {currency:String} AND state != 'open'
