-- One call by the id under which outcomes join it.
SELECT * FROM calls
WHERE use_case = {use_case:String} AND call_id = {call_id:String}
LIMIT 1
