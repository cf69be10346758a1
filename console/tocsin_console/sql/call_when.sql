-- When a call began, as what names it tells: outcomes, reviews, or the trace whose id begins its id. Nothing: the calls themselves are read.
SELECT min(at) AS first, max(at) AS last, count() AS hints
FROM
(
    SELECT started_at AS at FROM outcomes WHERE project = {project:String} AND call_id = {call_id:String}
    UNION ALL
    SELECT started_at AS at FROM review_items WHERE project = {project:String} AND use_case = {use_case:String} AND call_id = {call_id:String}
    UNION ALL
    SELECT toDateTime64(arrayJoin([Start, End]), 9, 'UTC') AS at FROM otel_traces_trace_id_ts WHERE TraceId = substring({call_id:String}, 1, 32)
)
SETTINGS max_execution_time = 10
