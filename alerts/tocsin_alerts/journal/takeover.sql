-- Which evaluator began last, and what it found.
SELECT epoch, done_to, unsettled
FROM takeovers FINAL
ORDER BY epoch DESC
LIMIT 1
