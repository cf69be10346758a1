-- The calls of one day that the judge is to look at, by chance.
SELECT *
FROM judge_verdicts FINAL
WHERE project = {project:String} AND use_case = {use_case:String} AND source = {source:String} AND day = {day:Date}
ORDER BY sipHash64(call_id), call_id
