-- Corrections of calls on their way into the sums: spans of one response made one call, costs filled in afterwards.

-- The columns of ai_calls (a later one must be added to both) and the token under which the rows go there. Written first, whole;
-- then its rows go into ai_calls, and through its views into the sums, under the token; then the pairs are deleted there, then here.
-- Whatever of this a crash leaves undone is done again, with the same rows.
CREATE TABLE IF NOT EXISTS call_corrections ${on_cluster} AS ai_calls
ENGINE = ${Replicated}MergeTree
ORDER BY (project, use_case, toStartOfHour(started_at), call_id);

ALTER TABLE call_corrections ${on_cluster} ADD COLUMN IF NOT EXISTS `token` String;
