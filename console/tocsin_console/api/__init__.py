"""The loopback API and the status page."""
