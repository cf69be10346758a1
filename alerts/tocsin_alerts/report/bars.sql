-- The bar of each guard: the confidence below which "verify" sends an answer to a person. It is written when it changes.
SELECT project, use_case, argMax(tuple(value), (slot, evaluated_at)).1 AS bar
FROM evaluations
WHERE evaluator = 'guard_bar'
GROUP BY project, use_case
