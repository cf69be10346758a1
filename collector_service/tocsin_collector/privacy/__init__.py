"""Redaction, forgetting, and what is kept where."""
