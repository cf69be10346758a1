-- What people and tocsin did about an incident, in order.
SELECT at, actor, action, detail FROM audit_log FINAL WHERE subject = {incident:String} ORDER BY at, id LIMIT 1000
