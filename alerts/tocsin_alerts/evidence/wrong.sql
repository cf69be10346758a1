-- Calls of the last fortnight and the label delay that turned out wrong, the most confident first.
SELECT call_id, started_at, predicted_label, predicted_value, confidence, label, value
FROM outcomes FINAL
WHERE project = {project:String} AND use_case = {use_case:String}
    AND started_at >= {slot:DateTime('UTC')} - 1209600 AND started_at < {slot:DateTime('UTC')}
    AND kind != 'support' AND (served_by != 'fallback' OR is_probe) AND ifNull(correct, score >= 0.5) = 0
ORDER BY confidence DESC NULLS LAST, started_at DESC, call_id
LIMIT 1 BY call_id
LIMIT {most:UInt32}
SETTINGS do_not_merge_across_partitions_select_final = 1
