"""Rows put right after the fact: nested calls, prices, outcomes from logs, use cases."""
