-- Silences that ended after some time, or have not; the last to end first.
SELECT silence, project, use_case, rule, matchers, author, reason, since, until
FROM silences FINAL
WHERE until > {after:DateTime64(3)}
ORDER BY until DESC, silence
