-- Histograms by day, for evaluators whose slots are midnights: a week of hours has twenty times the cells of its days. A projection
-- is made within each part, from the part's own rows. So it can say nothing else than the hours do, whichever way they came,
-- were corrected, settled, renamed or forgotten.

-- Merging adds cells up, so a merged part's projection is made anew.
ALTER TABLE input_histogram_1h ${on_cluster} MODIFY SETTING deduplicate_merge_projection_mode = 'rebuild';

ALTER TABLE input_histogram_1h ${on_cluster} ADD PROJECTION IF NOT EXISTS by_day
(
    SELECT
        project, use_case, kind, field, intDiv(toUnixTimestamp(hour), 86400) AS day, model_version, prompt_version, segment_name, segment_value,
        bin, category, sum(n)
    GROUP BY project, use_case, kind, field, day, model_version, prompt_version, segment_name, segment_value, bin, category
);

-- Of what is stored already, in the background; until then its hours are read.
ALTER TABLE input_histogram_1h ${on_cluster} MATERIALIZE PROJECTION by_day;
