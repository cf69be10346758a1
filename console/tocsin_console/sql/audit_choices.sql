-- Who changes things, and which kinds of change there are.
SELECT arraySort(groupUniqArray(200)(actor)) AS actors, arraySort(groupUniqArray(200)(action)) AS actions FROM audit_log
