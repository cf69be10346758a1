-- The calls of the latest draw of each use case, in the order in which they are scored.
SELECT *
FROM review_items FINAL
WHERE ({project:String} = '' OR project = {project:String}) AND ({use_case:String} = '' OR use_case = {use_case:String})
    AND (project, use_case, week, draw) GLOBAL IN
    (
        SELECT project, use_case, week, draw FROM reviews FINAL
        WHERE ({project:String} = '' OR project = {project:String}) AND ({use_case:String} = '' OR use_case = {use_case:String})
        ORDER BY week DESC
        LIMIT 1 BY project, use_case
    )
ORDER BY project, use_case, position, call_id
