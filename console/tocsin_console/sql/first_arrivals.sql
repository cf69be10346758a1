-- Of some use cases that have few calls yet: from which services they came, and when the first and the last arrived.
SELECT
    project, use_case, arraySort(groupUniqArray(8)(service)) AS services, toInt64(sum(sign)) AS calls,
    min(ingested_at) AS first_arrived_at, max(ingested_at) AS last_arrived_at
FROM ai_calls
WHERE has({projects:Array(String)}, project) AND use_case IN {use_cases:Array(String)}
GROUP BY project, use_case
HAVING calls > 0
ORDER BY first_arrived_at DESC
SETTINGS compile_expressions = 0, compile_aggregate_expressions = 0
