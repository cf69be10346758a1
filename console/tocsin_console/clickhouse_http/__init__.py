"""The embedded engine as a ClickHouse server that only reads: HTTP on 127.0.0.1:8123."""
