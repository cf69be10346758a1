-- What fires and is not told at present.
SELECT incident, fingerprint, why, detail, until, wrong FROM held_alerts FINAL WHERE why != ''
