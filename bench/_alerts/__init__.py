"""Hostile texts, templates and addresses, and who says whether any of them had an effect."""
