"""Tables of others: calls read out of an existing otel_traces, outcomes out of an otel_logs, without copying a span."""
