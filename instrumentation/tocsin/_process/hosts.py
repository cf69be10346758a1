"""Servers whose processes end past every exit handler: what waits there is sent when they say that the end is near."""

import functools
from collections.abc import Callable
from types import ModuleType
from typing import Any

from tocsin._process.import_hook import when_imported

Flush = Callable[[], Any]


def flush_with_hosts(flush: Flush) -> None:
    """Flush when a server of uvicorn's has shut down, and when a worker process of Celery's ends or is recycled."""
    when_imported("uvicorn.server", lambda module: _after_uvicorn(module, flush))
    when_imported("celery.signals", lambda module: _before_celery_exits(module, flush))


def _after_uvicorn(module: ModuleType, flush: Flush) -> None:
    """Its requests are answered and its lifespan is over by then; afterwards it dies of SIGTERM's default action."""
    import asyncio

    shutdown = module.Server.shutdown

    @functools.wraps(shutdown)
    async def flushing(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            await shutdown(self, *args, **kwargs)
        finally:
            await asyncio.to_thread(flush)

    module.Server.shutdown = flushing


def _before_celery_exits(module: ModuleType, flush: Flush) -> None:
    """A worker process ends by ``os._exit``, right after it has sent this signal."""
    module.worker_process_shutdown.connect(lambda **_: flush(), weak=False)
