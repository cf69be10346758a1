-- One block under one token: every sum takes it once, however often it is sent.
INSERT INTO ai_calls (${columns})
SELECT ${columns} FROM call_corrections WHERE token = {token:String} ORDER BY project, call_key, call_id, span_id, segment, sign
