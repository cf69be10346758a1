-- What people and tocsin changed, the latest first.
SELECT at, actor, action, subject, detail
FROM audit_log FINAL
WHERE ({actor:String} = '' OR actor = {actor:String}) AND ({action:String} = '' OR action = {action:String})
    AND ({about:String} = '' OR positionCaseInsensitiveUTF8(subject, {about:String}) > 0 OR positionCaseInsensitiveUTF8(detail, {about:String}) > 0)
ORDER BY at DESC, id
LIMIT {most:UInt32}
