-- What turned out to be true of them, as far as people or later facts said it.
INSERT INTO own_labels
SELECT call_id, correct
FROM {origin:Identifier}.outcomes_latest
WHERE project = {project:String} AND use_case = {use_case:String} AND kind IN ('ground_truth', 'review')
    AND started_at >= {since:DateTime('UTC')} AND started_at < {until:DateTime('UTC')}
