-- Rows for call_corrections that give calls of unknown cost the one that a price says: the old row taken back, the new one with
-- its cost. Reckoned as ai_calls_mv does.
INSERT INTO call_corrections (${columns}, token)
SELECT ${columns}, {token:String} AS token
FROM
(
    SELECT priced.* EXCEPT (reckoned, label, side) REPLACE (
        toInt8(side) AS sign,
        if(side = 1, reckoned, NULL) AS cost,
        if(side = 1, substring(label, 1, 3), currency) AS currency,
        if(side = 1, 'collector', cost_source) AS cost_source,
        if(side = 1, substring(label, 5), price_version) AS price_version,
        if(side = 1, {token:String}, segment) AS segment)
    FROM
    (
        WITH
            (SELECT names_lists_labels FROM ${books}.load_prices) AS known_prices,
            concat('\n', provider, '\n', model_name) AS price_name,
            indexOf(known_prices.1, concat(project, price_name)) AS own_price,
            if(own_price > 0, own_price, indexOf(known_prices.1, price_name)) AS price_index,
            arrayFirstIndex(v -> v[1] <= toUnixTimestamp(started_at) AND v[2] <= ifNull(input_tokens, 0), known_prices.2[price_index]) AS price_at,
            tocsin_cost_v1(known_prices.2[price_index][price_at], toFloat64OrDefault(input_tokens, nan), toFloat64OrDefault(output_tokens, nan),
                toFloat64OrDefault(cache_read_tokens), toFloat64OrDefault(cache_write_tokens), duration_ns / 1e9) AS reckoned_cost
        SELECT *, reckoned_cost AS reckoned, known_prices.3[price_index][price_at] AS label
        FROM ai_calls
        WHERE cost IS NULL AND sign = 1 AND model_name IN {models:Array(String)} AND price_index > 0 AND reckoned_cost IS NOT NULL
        ORDER BY started_at, call_id, span_id
        LIMIT {limit:UInt32}
    ) AS priced
    ARRAY JOIN [-1, 1] AS side
)
