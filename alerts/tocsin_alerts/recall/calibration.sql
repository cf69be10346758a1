-- The calibration in force at a moment; of several versions the one with the most labels.
SELECT bins, precision, accuracy
FROM calibrations FINAL
WHERE project = {project:String} AND use_case = {use_case:String} AND until <= {slot:DateTime('UTC')}
ORDER BY n DESC, until DESC
LIMIT 1
