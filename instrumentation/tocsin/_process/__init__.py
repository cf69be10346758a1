"""The process: settings, start and end, signals, imports, and the one place that swallows."""
