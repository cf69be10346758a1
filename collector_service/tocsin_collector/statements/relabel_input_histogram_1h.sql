-- As for ai_calls_1h: minus the old, plus the new.
INSERT INTO input_histogram_1h (
    project, use_case, kind, field, hour, model_version, prompt_version, segment_name, segment_value, bin, category, n)
SELECT
    project, side.2, kind, field, hour, model_version, prompt_version, segment_name, segment_value, bin, category, side.1 * n
FROM (SELECT * FROM input_histogram_1h FINAL WHERE project = {project:String} AND use_case = {old:String} AND n != 0)
ARRAY JOIN [(-1, {old:String}), (1, {new:String})] AS side
