"""The engine, a server or a cluster: connections, schema, retention, the lease."""
