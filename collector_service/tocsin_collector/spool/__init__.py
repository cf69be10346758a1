"""Bytes that were acknowledged: segments, their index, repair and second looks."""
