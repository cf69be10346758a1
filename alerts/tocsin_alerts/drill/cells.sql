-- Own calls by how sure the model is.
SELECT round(own_sure.sure, 3) AS sure, count() AS calls, sum(right) AS right_calls FROM own_sure GROUP BY sure ORDER BY sure
