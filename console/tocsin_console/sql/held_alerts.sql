-- What fires and is not told at present, and why.
SELECT incident, fingerprint, why, detail, until, wrong FROM held_alerts FINAL WHERE why != ''
