"""What a person does on a page: a form is posted to the page's own server, done, and answered with a page to look at."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeAlias
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from tocsin_console.api.answering import text_of
from tocsin_console.errors import UsageProblem

_MOST_FIELDS: Final = 64
_MOST_BYTES: Final = 256 << 10

Form: TypeAlias = Mapping[str, str]
Act: TypeAlias = Callable[[Request, Form], str]


def form_route(path: str, act: Act) -> Route:
    """Give the route of a form.

    Args:
        path: Where it is posted.
        act: Does it, and gives the address to show then; a :class:`~tocsin_wire.TocsinError` becomes a page that says so.
    """

    async def answer(request: Request) -> Response:
        form = _read(await request.body())
        request.scope["tocsin.actor"] = str(request.scope.get("tocsin.person") or form.get("actor") or "")
        to = await run_in_threadpool(act, request, form)
        return RedirectResponse(to, status_code=303)

    route: Callable[[Request], Awaitable[Response]] = answer
    return Route(path, route, methods=["POST"])


def actor(request: Request, form: Form) -> str:
    """Give the name of who acts: of who is logged in, else the one that the form says.

    Raises:
        UsageProblem: nobody is named.
    """
    person = str(request.scope.get("tocsin.person") or "")
    return person or text_of(form, "actor")


def _read(body: bytes) -> Form:
    """Read a form, each field once; a blank one is not there.

    Raises:
        UsageProblem: it is too large, or no form.
    """
    if len(body) > _MOST_BYTES:
        raise UsageProblem(f"expected a form of at most {_MOST_BYTES} bytes, got {len(body)}")
    try:
        said = parse_qs(body.decode(), max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise UsageProblem(f"expected a form of at most {_MOST_FIELDS} fields: {error}") from error
    return {name: values[-1].strip() for name, values in said.items()}
