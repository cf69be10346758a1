-- The input fields that calls have had.
SELECT DISTINCT field FROM input_histogram_1h WHERE kind IN ('number', 'category', 'null') AND field != '' ORDER BY field
