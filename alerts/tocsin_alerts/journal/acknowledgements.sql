-- Who took an incident, in the order in which they did.
SELECT actor, at, detail FROM audit_log WHERE action = 'acknowledge' AND subject = {incident:String} ORDER BY at, id
