-- How often answers of such a confidence are right, by the calibration of the call's own version, or of the one with the most labels.
SELECT
    model_version, n AS labels,
    precision[greatest(1, arrayLastIndex(knot -> knot <= tocsin_doubt_bin_v1({confidence:Float64}), bins))] AS calibrated
FROM calibrations FINAL
WHERE project = {project:String} AND use_case = {use_case:String} AND notEmpty(bins)
ORDER BY model_version = {model_version:String} DESC, n DESC, until DESC
LIMIT 1
