-- Their late labels: as large a part as is labelled now, so late as labels come; and as many in the reference as its calibration rests on.
INSERT INTO outcomes (project, use_case, call_id, started_at, model_version, prompt_version, served_by, predicted_label, confidence, weight, segments,
    kind, source, outcome_id, observed_at, correct, received_at, ingested_at)
SELECT
    {project:String}, named, concat(named, '-', d.call_id) AS id, addDays(c.started_at, dateDiff('day', d.own, d.at)) AS at_time, model_version, prompt_version, 'model',
    output_label, confidence, 1, segments, 'ground_truth', 'drill', id, at_time + toIntervalSecond({delay_s:UInt32}) AS known_at, is_right, known_at, known_at
FROM drill_calls AS d INNER JOIN own_calls AS c ON c.call_id = d.own_id
ARRAY JOIN if(d.is_control, {control:Array(String)}, {use_cases:Array(String)}) AS named
WHERE sipHash64(d.call_id, 'label') / 18446744073709551616 < if(d.at < {reference_until:Date}, {in_reference:Float64}, {share:Float64})
SETTINGS max_partitions_per_insert_block = 0
