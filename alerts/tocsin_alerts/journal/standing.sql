-- What a channel was told last of each incident of whose end it has not been told.
SELECT *
FROM notifications FINAL
WHERE channel = {channel:String} AND state = 'sent'
    AND incident NOT IN (SELECT incident FROM notifications FINAL WHERE channel = {channel:String} AND transition = 'resolved' AND state = 'sent')
ORDER BY slot DESC, at DESC
LIMIT 1 BY incident
