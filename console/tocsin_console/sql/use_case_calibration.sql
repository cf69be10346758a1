-- The calibration in force: of several versions the latest. Where each knot begins, as a confidence, and how many were right there.
SELECT
    arrayMap(knot -> if(knot = 0, 1., 1 - tocsin_bin_v1_value(knot)), bins) AS confidences, precision AS shares, labels AS behind,
    model_version, prompt_version, n, accuracy, until, fitted_at
FROM calibrations FINAL
WHERE project = {project:String} AND use_case = {use_case:String}
ORDER BY until DESC, n DESC
LIMIT 1
