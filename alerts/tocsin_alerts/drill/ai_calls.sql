-- They are written as calls, once for each use case of the drill, through the views that every call goes through.
INSERT INTO ai_calls
SELECT
    c.* REPLACE (
        {project:String} AS project, named AS use_case, concat(named, '-', d.call_id) AS call_id, concat(named, '-', d.call_id) AS call_key,
        addDays(c.started_at, dateDiff('day', d.own, d.at)) AS started_at, 'model' AS served_by, toUInt8(0) AS is_probe, toInt8(1) AS sign)
FROM drill_calls AS d INNER JOIN own_calls AS c ON c.call_id = d.own_id
ARRAY JOIN if(d.is_control, {control:Array(String)}, {use_cases:Array(String)}) AS named
SETTINGS max_partitions_per_insert_block = 0
