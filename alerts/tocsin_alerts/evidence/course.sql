-- What an evaluator has said of one series at its own slots, by the parameters that it was given.
SELECT slot, evaluator_hash, argMax(value, evaluated_at) AS said
FROM evaluations
WHERE project = {project:String} AND use_case = {use_case:String} AND evaluator = {evaluator:String}
    AND slot > {since:DateTime64(3, 'UTC')} AND slot <= {slot:DateTime64(3, 'UTC')} AND toUnixTimestamp(slot) % {every_s:UInt32} = 0
    AND length(labels) = length({names:Array(String)})
    AND arrayAll((its_name, its_value) -> labels[its_name] = its_value, {names:Array(String)}, {values:Array(String)})
GROUP BY slot, evaluator_hash
ORDER BY slot, evaluator_hash
