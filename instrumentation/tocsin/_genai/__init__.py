"""Calls of generative models: whose instrumentation is enabled, and what is added to the spans that it makes.

The spans are others' (OpenTelemetry's instrumentors, OpenInference's, Traceloop's, an SDK's own). `libraries` and `enabling`
say which are switched on; `clients` listens at the one place that all of them call, the client's request; `exchange` keeps
what was heard there; `processor` writes it on whichever spans tell of it, when they end.
"""
