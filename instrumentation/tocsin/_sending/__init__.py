"""Finished calls on their way: spans, queue, encoding, channel."""
