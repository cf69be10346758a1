-- Days that have own calls.
SELECT DISTINCT day FROM own_sure ORDER BY day
