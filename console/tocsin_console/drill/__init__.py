"""Fire drills: a copy of a use case's history in a database of its own, decayed, and watched by the live rules."""
