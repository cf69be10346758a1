-- Who sent spans, and by which libraries: of a few of them.
SELECT arraySort(groupUniqArray(5)(ServiceName)) AS services, arraySort(groupUniqArrayIf(5)(ScopeName, ScopeName != '')) AS libraries
FROM (SELECT ServiceName, ScopeName FROM otel_traces LIMIT 2000)
