"""From the spool to the tables: decode, insert once, set aside what cannot be, keep the books."""
