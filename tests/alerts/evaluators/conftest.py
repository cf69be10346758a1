"""A store on each engine, emptied for every test."""

import uuid
from collections.abc import Iterator

import pytest
from tests.alerts.evaluators.store import Store
from tests.databases import Databases, empty

from tocsin_collector.store.database import Database


@pytest.fixture(scope="session")
def embedded(databases: Databases) -> Iterator[Database]:
    """One migrated database of the embedded engine."""
    with databases.one() as lent:
        yield lent


@pytest.fixture(scope="session")
def server(server_databases: Databases) -> Iterator[Database]:
    """One migrated database of a real server."""
    with server_databases.one() as lent:
        yield lent


@pytest.fixture(params=["embedded", pytest.param("server", marks=pytest.mark.server)])
def store(request: pytest.FixtureRequest) -> Store:
    """The store of each engine in turn, with nothing in it: an evaluator measures all that is there, whosever it is."""
    database = request.getfixturevalue(request.param)
    empty(database)
    return Store(database=database, project=f"p{uuid.uuid4().hex[:12]}")
