-- How much the evaluators have produced.
SELECT count() AS evaluations_stored FROM evaluations
