"""Single calls: found by anything that is known of them, and each with all that happened around it."""
