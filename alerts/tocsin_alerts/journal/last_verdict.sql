-- When somebody last said what an incident was worth.
SELECT count() AS said, max(at) AS last FROM audit_log FINAL WHERE action = 'verdict' AND subject = {incident:String}
