-- Databases of drills, of this store.
SELECT name FROM system.databases WHERE startsWith(name, {beginning:String})
