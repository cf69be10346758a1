-- Whether a message was ever put into the outbox.
SELECT 1 AS kept FROM notifications WHERE notification = {notification:String} LIMIT 1
