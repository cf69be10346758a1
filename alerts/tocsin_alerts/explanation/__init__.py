"""Why it went wrong: when it began, what moved first, which parts of the traffic and which fields account for it."""
