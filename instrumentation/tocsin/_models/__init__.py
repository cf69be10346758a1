"""Classic models: estimators patched, their rows and answers read."""
