-- The latest draw of each use case.
SELECT *
FROM reviews FINAL
WHERE ({project:String} = '' OR project = {project:String}) AND ({use_case:String} = '' OR use_case = {use_case:String})
ORDER BY week DESC
LIMIT 1 BY project, use_case
