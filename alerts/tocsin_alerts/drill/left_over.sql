-- Databases of drills, of this store: none that merely begins like them.
SELECT name
FROM system.databases
WHERE startsWith(name, {beginning:String}) AND match(substring(name, length({beginning:String}) + 1), '^[0-9]{12}_[0-9a-f]+$')
