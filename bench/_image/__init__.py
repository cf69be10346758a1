"""The Dockerfile's instructions executed in plain chroots, and what comes of them started as an engine would start it."""
