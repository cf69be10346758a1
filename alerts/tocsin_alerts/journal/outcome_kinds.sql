-- The kinds of outcome that anybody has ever sent: an evaluator of others has nothing to say, and need not be planned.
SELECT groupUniqArray(kind) AS kinds
FROM outcomes
