"""Where requests are heard: in the clients that OpenAI's and Anthropic's libraries share, below every instrumentor of them.

All that is patched is `request`, which each of their calls goes through, the wait before a retry, and a stream's `close`.
"""

import contextlib
import functools
import sys
from collections.abc import Callable
from contextvars import Token
from types import ModuleType
from typing import Any, Final

from tocsin._genai.exchange import ACTIVE, Exchange
from tocsin._genai.processor import claim, use_case_here
from tocsin._genai.streams import exchange_of, overhear
from tocsin._models.patching import patch_method, restore, with_subclasses
from tocsin._process.boundary import MISHAPS, Swallow

_IN_CLIENT: Final = Swallow("genai.client")
_OPERATIONS: Final = {
    "/chat/completions": "chat",
    "/responses": "chat",
    "/messages": "chat",
    "/completions": "text_completion",
    "/complete": "text_completion",
    "/embeddings": "embeddings",
}


def listen(library: str, module: ModuleType) -> None:
    """Hear the requests of a library's clients."""
    client = sys.modules.get(f"{module.__name__}._base_client")
    streaming = sys.modules.get(f"{module.__name__}._streaming")
    for name, wrap in (("SyncAPIClient", _plain), ("AsyncAPIClient", _asynchronous)):
        cls = getattr(client, name, None)
        if isinstance(cls, type):
            patch_method(cls, "request", functools.partial(wrap, library), f"genai.{library}")
            _slip_under(cls, "request", library)
            patch_method(cls, "_sleep_for_retry", _retrying, f"genai.{library}")
    for name in ("Stream", "AsyncStream"):
        cls = getattr(streaming, name, None)
        if isinstance(cls, type):
            for method in ("close", "aclose"):
                patch_method(cls, method, _closing, f"genai.{library}")


def stop_listening(library: str) -> None:
    """Hear them no more."""
    restore(f"genai.{library}")
    for wrapper, original in _slipped.pop(library, ()):
        wrapper.__wrapped__ = original


def _slip_under(base: type, name: str, library: str) -> None:
    """Have wrappers that an instrumentor has put on subclasses before us call our method, where they would call the original."""
    ours = base.__dict__.get(name)
    original = getattr(ours, "__wrapped__", None)
    for cls in with_subclasses(base):
        wrapper = cls.__dict__.get(name)
        if wrapper is not ours and original is not None and getattr(wrapper, "__wrapped__", None) is original:
            with _IN_CLIENT:
                wrapper.__wrapped__ = ours  # type: ignore[union-attr]
                _slipped.setdefault(library, []).append((wrapper, original))


_slipped: Final[dict[str, list[tuple[Any, Any]]]] = {}


def on_first_client(library: str, module: ModuleType, react: Callable[[], None]) -> None:
    """Call back just before the first client is made: whoever instruments the library has done so by then."""
    base = getattr(sys.modules.get(f"{module.__name__}._base_client"), "BaseClient", None)
    if not isinstance(base, type):
        react()
        return
    waiting = [react]

    def wrap(original: Any, _: str) -> Any:
        @functools.wraps(original)
        def made(self: Any, *args: Any, **kwargs: Any) -> None:
            with contextlib.suppress(IndexError):  # of two clients made at once, one is the first
                waiting.pop()()
            original(self, *args, **kwargs)

        return made

    patch_method(base, "__init__", wrap, f"genai.{library}")


def _plain(library: str, original: Any, _: str) -> Any:
    @functools.wraps(original)
    def request(self: Any, *args: Any, **kwargs: Any) -> Any:
        exchange = _begin(library, args, kwargs)
        if exchange is None:
            return original(self, *args, **kwargs)
        with _UnderWay(exchange):
            result = original(self, *args, **kwargs)
        _answer(exchange, result)
        return result

    return request


def _asynchronous(library: str, original: Any, _: str) -> Any:
    @functools.wraps(original)
    async def request(self: Any, *args: Any, **kwargs: Any) -> Any:
        exchange = _begin(library, args, kwargs)
        if exchange is None:
            return await original(self, *args, **kwargs)
        with _UnderWay(exchange):
            result = await original(self, *args, **kwargs)
        _answer(exchange, result)
        return result

    return request


def _retrying(original: Any, _: str) -> Any:
    @functools.wraps(original)
    def sleep(self: Any, *args: Any, **kwargs: Any) -> Any:  # of the asynchronous client: what it gives is awaited
        exchange = ACTIVE.get()
        if exchange is not None:
            with _IN_CLIENT:
                response = kwargs.get("response")
                exchange.retried(_error_of(self, response), getattr(response, "status_code", None))
        return original(self, *args, **kwargs)

    return sleep


def _closing(original: Any, _: str) -> Any:
    @functools.wraps(original)
    def close(self: Any, *args: Any, **kwargs: Any) -> Any:
        exchange = exchange_of(self)
        if exchange is not None:
            with _IN_CLIENT:
                exchange.closed()
        return original(self, *args, **kwargs)

    return close


def _begin(library: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Exchange | None:
    try:
        options = kwargs.get("options", args[1] if len(args) > 1 else None)
        body = getattr(options, "json_data", None)
        if not isinstance(body, dict) or str(getattr(options, "method", "")).lower() != "post":
            return None
        path = str(getattr(options, "url", "")).partition("?")[0]
        operation = next((known for end, known in _OPERATIONS.items() if path.endswith(end)), None)
        if operation is None or ACTIVE.get() is not None:
            return None
        exchange = Exchange(library, operation, dict(body), use_case_here())
        claim(exchange)
    except Exception as error:
        MISHAPS.note("genai.client", error)
        return None
    return exchange


class _UnderWay:
    """While the client is at work on a request."""

    __slots__ = ("_exchange", "_token")

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def __enter__(self) -> None:
        self._token: Token[Exchange | None] = ACTIVE.set(self._exchange)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: object) -> None:
        if error is not None:
            self._exchange.is_under_way = False
            with _IN_CLIENT:
                self._exchange.failed(error)
        with contextlib.suppress(ValueError):  # a coroutine that was taken up again in another context
            ACTIVE.reset(self._token)


def _answer(exchange: Exchange, result: Any) -> None:
    exchange.is_under_way = False
    with _IN_CLIENT:
        if overhear(result, exchange):
            return
        if hasattr(result, "parse") and hasattr(result, "http_response"):
            _answer_when_parsed(exchange, result)
            return
        exchange.heard(result)
        exchange.finished()


def _answer_when_parsed(exchange: Exchange, raw: Any) -> None:
    """Hear a raw response when the caller, or an instrumentor, parses it; `parse` keeps what it made."""
    parse = raw.parse

    @functools.wraps(parse)
    def parsed(*args: Any, **kwargs: Any) -> Any:
        result = parse(*args, **kwargs)
        if hasattr(result, "__await__"):
            return result
        if not exchange.is_done:
            with _IN_CLIENT:
                if exchange_of(result) is None and not overhear(result, exchange):
                    exchange.heard(result)
                    exchange.finished()
        return result

    raw.parse = parsed


def _error_of(client: Any, response: Any) -> BaseException | None:
    """Name the error that the client would have raised."""
    if response is None:
        return sys.exc_info()[1]
    with _IN_CLIENT:
        made = client._make_status_error("", body=None, response=response)  # noqa: SLF001 - their own way to name it
        return made if isinstance(made, BaseException) else None
    return None
