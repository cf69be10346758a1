-- How often each judge says what people say of the same call: the last word of either.
WITH verdicts AS
(
    SELECT
        project, use_case, call_id, if(kind = 'judge', source, '') AS judged_by, observed_at, outcome_id,
        ifNull(correct, score >= 0.5) AS is_right
    FROM outcomes FINAL
    WHERE kind IN ('judge', 'review', 'ground_truth') AND (correct IS NOT NULL OR score IS NOT NULL)
        AND ({use_case:String} = '' OR use_case = {use_case:String})
    ORDER BY kind = 'ground_truth' DESC, observed_at DESC, outcome_id DESC
    LIMIT 1 BY project, call_id, judged_by
)
SELECT
    project, use_case, j.judged_by AS source, count() AS both, countIf(j.is_right = h.is_right) AS agreed,
    countIf(j.is_right = 1 AND h.is_right = 0) AS too_kind, countIf(j.is_right = 0 AND h.is_right = 1) AS too_harsh
FROM (SELECT * FROM verdicts WHERE judged_by != '') AS j
INNER JOIN (SELECT project, use_case, call_id, is_right FROM verdicts WHERE judged_by = '') AS h USING (project, use_case, call_id)
GROUP BY project, use_case, source
ORDER BY project, use_case, source
