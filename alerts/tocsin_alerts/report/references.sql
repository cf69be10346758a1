-- Which use cases have something to compare with, and since when.
SELECT project, use_case, max(until) AS ends FROM reference_windows GROUP BY project, use_case
