/*
summary = "Share of users who do not come back in the week after, and of sessions that end with their first answer"
unit    = "share"
window  = "14d"
params  = { since = "DateTime('UTC')", until = "DateTime('UTC')", step_s = "UInt32" }

[columns]
project  = "LowCardinality(String)"
use_case = "LowCardinality(String)"
loss     = "String"
slot     = "DateTime64(3, 'UTC')"
value    = "Nullable(Float64)"
lower    = "Nullable(Float64)"
upper    = "Nullable(Float64)"
baseline = "Nullable(Float64)"
n        = "UInt64"
*/
-- users: of those seen in the week before, who are not seen in this one. sessions: of those seen in this week, that made one call
-- only. Weeks end at the slot. Where a use case has more than 10,000 calls a week, both weeks are looked at in the same hours of the
-- week, which chance picks until they hold so many: then a share says little by itself, and much against its baseline, which is
-- the same figure of a week earlier, from the same hours. So cost does not grow with traffic.
-- NULL under 100 users or sessions. Interval: Wilson.
WITH
    {step_s:UInt32} AS step,
    weeks AS
    (
        SELECT project, use_case, (intDiv(toUnixTimestamp(hour), 3600) + 72) % 168 AS hour_of_week, max(rows) AS most
        FROM
        (
            SELECT project, use_case, hour, sum(calls) AS rows FROM ai_calls_1h
            WHERE segment_name = '' AND hour >= {since:DateTime('UTC')} - 1814400 AND hour < {until:DateTime('UTC')}
            GROUP BY ALL
        )
        GROUP BY ALL
        HAVING most > 0
    ),
    chosen AS
    (
        SELECT project, use_case, hour_of_week
        FROM (SELECT *, sum(most) OVER (PARTITION BY project, use_case ORDER BY cityHash64(hour_of_week), hour_of_week) AS passed FROM weeks)
        WHERE passed - most < 10000
    ),
    picked AS
    (
        SELECT project, use_case, hour FROM ai_calls_1h
        WHERE segment_name = '' AND hour >= {since:DateTime('UTC')} - 1814400 AND hour < {until:DateTime('UTC')}
            AND (project, use_case, (intDiv(toUnixTimestamp(hour), 3600) + 72) % 168) IN (SELECT project, use_case, hour_of_week FROM chosen)
    ),
    calls AS
    (
        SELECT project, use_case, who.1 AS loss, who.2 AS id, toUnixTimestamp(toStartOfHour(started_at, 'UTC')) AS at
        FROM ai_calls
        ARRAY JOIN [('users', cityHash64(user_id)), ('sessions', cityHash64(session_id))] AS who
        WHERE (project, use_case, toStartOfHour(started_at, 'UTC')) IN (SELECT project, use_case, hour FROM picked)
            AND started_at >= {since:DateTime('UTC')} - 1814400 AND started_at < {until:DateTime('UTC')} AND sign = 1 AND attempt <= 1
            AND (user_id != '' AND loss = 'users' OR session_id != '' AND loss = 'sessions')
    ),
    seen AS
    (
        SELECT
            project, use_case, loss, id, slot_no,
            countIf(at + 604800 >= until) AS this_week, countIf(at + 604800 < until AND at + 1209600 >= until) AS last_week, countIf(at + 1209600 < until) AS before
        FROM
        (
            SELECT project, use_case, loss, id, at,
                arrayJoin(range(
                    greatest(intDiv(at + 3599 + step, step), intDiv(toUnixTimestamp({since:DateTime('UTC')}), step) + 1),
                    least(intDiv(at + 1814400, step), intDiv(toUnixTimestamp({until:DateTime('UTC')}), step)) + 1)) AS slot_no,
                slot_no * step AS until
            FROM calls
        )
        GROUP BY project, use_case, loss, id, slot_no
    ),
    measured AS
    (
        SELECT
            project, use_case, loss, slot_no,
            toFloat64(if(loss = 'users', countIf(last_week > 0), countIf(this_week > 0))) AS ids,
            toFloat64(if(loss = 'users', countIf(last_week > 0 AND this_week = 0), countIf(this_week = 1))) AS lost,
            if(loss = 'users', countIf(before > 0), countIf(last_week > 0)) AS then_ids,
            if(loss = 'users', countIf(before > 0 AND last_week = 0), countIf(last_week = 1)) AS then_lost
        FROM seen
        GROUP BY project, use_case, loss, slot_no
        HAVING ids > 0
    )
SELECT
    project, use_case, loss, toDateTime64(slot_no * step, 3, 'UTC') AS slot,
    if(ids >= 100, toNullable(lost / ids), NULL) AS value,
    if(ids >= 100, toNullable(tocsin_wilson_v1(lost, ids, -1.96)), NULL) AS lower,
    if(ids >= 100, toNullable(tocsin_wilson_v1(lost, ids, 1.96)), NULL) AS upper,
    if(then_ids >= 100, toNullable(then_lost / then_ids), NULL) AS baseline,
    toUInt64(ids) AS n
FROM measured
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0, query_plan_merge_expressions = 0,
    short_circuit_function_evaluation = 'disable', do_not_merge_across_partitions_select_final = 1
