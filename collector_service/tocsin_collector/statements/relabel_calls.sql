-- Copies under the new name, into a table beside ai_calls: its views must not count these calls again.
INSERT INTO ai_calls_relabelled
SELECT * REPLACE ({new:String} AS use_case)
FROM
(
    SELECT *
    FROM ai_calls
    WHERE project = {project:String} AND use_case = {old:String}
        AND (call_id, span_id, segment) NOT IN
            (SELECT call_id, span_id, segment FROM ai_calls WHERE project = {project:String} AND use_case = {new:String})
)
