-- Take the old name's sums away and give them to the new one, in one insert. Nothing is left to move the second time.
INSERT INTO ai_calls_1h (
    project, use_case, hour, model_version, prompt_version, segment_name, segment_value, served_by, currency,
    calls, probes, errors, retries, unpriced, confident, input_tokens, output_tokens, cost)
SELECT
    project, side.2, hour, model_version, prompt_version, segment_name, segment_value, served_by, currency,
    side.1 * calls, side.1 * probes, side.1 * errors, side.1 * retries, side.1 * unpriced, side.1 * confident,
    side.1 * input_tokens, side.1 * output_tokens, cost * side.1
FROM (SELECT * FROM ai_calls_1h FINAL WHERE project = {project:String} AND use_case = {old:String} AND (calls != 0 OR cost != 0))
ARRAY JOIN [(-1, {old:String}), (1, {new:String})] AS side
