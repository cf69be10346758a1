-- Where a channel's chat has the message of an incident.
SELECT room, ts
FROM chat_threads FINAL
WHERE channel = {channel:String} AND incident = {incident:String}
