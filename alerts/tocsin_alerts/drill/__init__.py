"""How soon a use case's own decay would be noticed, rehearsed on a copy of its history."""
