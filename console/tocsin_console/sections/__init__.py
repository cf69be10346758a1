"""The sections of tocsin.yaml. What stands under a key is what docs/reference/configuration.md and editors say of it."""
