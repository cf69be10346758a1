-- What reviews and ground truth say of the versions that answered in the latest day with calls, by doubt bin: how many
-- verdicts, their weight, how much of it was right, and the lowest confidence among them. A version without verdicts has
-- one row of zeros, so that nobody mistakes it for one that is not there. Feedback and judges are left out: who complains
-- chooses itself, and a judge is a model too. A call counts once its labels are usually complete.
WITH
    verdicts AS
    (
        SELECT
            project, use_case, model_version, prompt_version, call_id, started_at, assumeNotNull(confidence) AS confident,
            if(weight > 0, weight, 1) AS stands_for, ifNull(correct, score >= 0.5) AS is_right
        FROM outcomes FINAL
        WHERE started_at >= {now:DateTime64(3, 'UTC')} - INTERVAL 90 DAY AND started_at < {now:DateTime64(3, 'UTC')}
            AND kind IN ('ground_truth', 'review') AND (served_by != 'fallback' OR is_probe)
            AND (correct IS NOT NULL OR score IS NOT NULL) AND confidence >= 0 AND confidence <= 1
        ORDER BY kind = 'ground_truth' DESC, observed_at DESC, outcome_id DESC
        LIMIT 1 BY project, call_id
    ),
    cells AS
    (
        SELECT
            project, use_case, model_version, prompt_version, tocsin_doubt_bin_v1(confident) AS bin,
            min(confident) AS lowest, count() AS labels,
            sum(stands_for) AS weight, sum(stands_for * stands_for) AS squares, sumIf(stands_for, assumeNotNull(is_right)) AS hits
        FROM
        (
            SELECT * FROM verdicts LEFT JOIN (SELECT project, use_case, label_delay_s FROM plans FINAL) AS p USING (project, use_case)
            WHERE started_at < {now:DateTime64(3, 'UTC')} - toIntervalSecond(label_delay_s)
        )
        GROUP BY ALL
    ),
    live AS
    (
        SELECT project, use_case, model_version, prompt_version
        FROM
        (
            SELECT
                project, use_case, model_version, prompt_version, max(hour) AS last_hour,
                max(last_hour) OVER (PARTITION BY project, use_case) AS latest
            FROM ai_calls_1h
            WHERE segment_name = '' AND hour >= {now:DateTime64(3, 'UTC')} - INTERVAL 28 DAY AND hour <= {now:DateTime64(3, 'UTC')}
                AND (served_by != 'fallback' OR probes > 0)
            GROUP BY ALL
            HAVING sum(calls) > 0
        )
        WHERE last_hour >= latest - 86400
    )
SELECT project, use_case, model_version, prompt_version, lowest, labels, weight, squares, hits
FROM live LEFT JOIN cells USING (project, use_case, model_version, prompt_version)
ORDER BY project, use_case, model_version, prompt_version, lowest DESC
SETTINGS do_not_merge_across_partitions_select_final = 1
