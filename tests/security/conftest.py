"""The same collector and real server as the collector's own tests."""

from tests.collector.conftest import run, server_database, server_url

__all__ = ["run", "server_database", "server_url"]
