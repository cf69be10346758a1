"""From the wire to the spool: listeners, admission, limits, what is a retry."""
