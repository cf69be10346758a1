-- What was taken back, and the rows that took it back.
DELETE FROM ai_calls
WHERE started_at >= {first:DateTime64(9)} AND started_at <= {last:DateTime64(9)}
    AND (project, call_id, span_id, segment) IN
        (SELECT project, call_id, span_id, segment FROM call_corrections WHERE token = {token:String} AND sign = -1)
