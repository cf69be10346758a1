"""The guard: flags received, states kept, routes chosen."""
