-- The calls of the drill, and of its control, to which nothing happens: each own call of a day comes as often as the day's tilt has it, and is right by a hash of its new id.
INSERT INTO drill_calls
SELECT
    hex(sipHash128({seed:String}, own_id, at, copy)) AS call_id, own_id, at, own,
    sipHash64(call_id, 'right') / 18446744073709551616 < right * (1 - flip) AS is_right, is_control
FROM
(
    SELECT
        s.call_id AS own_id, d.at AS at, d.own AS own, s.right AS right, d.flip AS flip, d.is_control AS is_control,
        toUInt32(floor(d.scale * exp(-d.tilt * s.sure) + sipHash64({seed:String}, s.call_id, d.at) / 18446744073709551616)) AS copies
    FROM drill_days AS d INNER JOIN own_sure AS s ON s.day = d.own
)
ARRAY JOIN range(copies) AS copy
