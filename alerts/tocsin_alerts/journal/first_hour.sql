-- Where history begins: a replay on the data's clock judges every slot from here.
SELECT count() AS hours, min(hour) AS first_hour FROM ai_calls_1h
