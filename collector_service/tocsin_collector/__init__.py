"""The collector: OTLP and outcomes in, a durable spool, and ClickHouse rows out, each once."""
