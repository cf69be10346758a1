"""One HTTP request, read as ClickHouse reads it."""

import base64
import binascii
import hmac
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl

from starlette.datastructures import Headers

from tocsin_console.clickhouse_http import compression, formats, settings, statement_text
from tocsin_console.clickhouse_http.engine import Question
from tocsin_console.clickhouse_http.exceptions import (
    AUTHENTICATION_FAILED,
    BAD_ARGUMENTS,
    NOT_IMPLEMENTED,
    QUERY_IS_TOO_LARGE,
    UNKNOWN_DATABASE,
    QueryFailed,
)

MAX_QUERY_BYTES: Final = 256 << 10  # the engine's own limit
MAX_ROWS: Final = 10_000_000
MAX_STREAMED_BYTES: Final = 2 << 30
MAX_WHOLE_BYTES: Final = 64 << 20  # what is made whole before it is sent
_QUERY_ID = re.compile(r"^[\x21-\x7e]{1,128}$")
_PARAMETER: Final = "param_"
_USERS: Final = frozenset({"", "default", "tocsin"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A question, and how its answer is to be sent."""

    question: Question
    query_id: str
    encoding: str
    is_blocked: bool  # compress=1: in ClickHouse's own compressed blocks
    protocol_version: int
    is_buffered: bool  # wait_end_of_query: nothing is sent before the end is known


def read(
    *,
    query_string: bytes,
    headers: Headers,
    body: bytes,
    database: str,
    password: str,
    fixed: Mapping[str, str] | None = None,
) -> Request:
    """Read a request.

    Args:
        query_string: As it came.
        headers: As they came.
        body: All of it.
        database: The one that is read.
        password: What the user must give; empty for none.
        fixed: Settings that no request can change, such as ``additional_table_filters`` of the project that it may see.

    Raises:
        QueryFailed: it cannot be answered; the message says why.
    """
    pairs = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True, errors="replace")
    said = dict(pairs)
    _authenticate(said, headers, password)
    if len(body) > MAX_QUERY_BYTES:
        raise QueryFailed(QUERY_IS_TOO_LARGE, f"expected at most {MAX_QUERY_BYTES} bytes of query, got more")
    statement = statement_text.parse(_text(said, headers, body))
    _check_database(headers.get("x-clickhouse-database") or said.get("database", ""), database)
    default = headers.get("x-clickhouse-format") or said.get("default_format") or "TabSeparated"
    chosen = formats.known(statement.format or default)
    streamed = formats.is_streamed(chosen) and not _is_on(said, "extremes")
    asked = {name: value for name, value in pairs if not name.startswith(_PARAMETER)}
    version = int(said["client_protocol_version"]) if said.get("client_protocol_version", "").isdecimal() else 0
    query_id = said.get("query_id", "")
    most = MAX_STREAMED_BYTES if streamed else MAX_WHOLE_BYTES
    engine_settings = settings.engine_settings(asked, max_rows=MAX_ROWS, max_bytes=most)
    return Request(
        question=Question(
            text=statement.text,
            format=chosen,
            parameters=_parameters(pairs),
            settings={**engine_settings, **(fixed or {})},
            is_streamed=streamed,
            max_bytes=most,
            tag=uuid.uuid4().hex,
        ),
        query_id=query_id if _QUERY_ID.match(query_id) else str(uuid.uuid4()),
        encoding=""
        if said.get("enable_http_compression") == "0" or _is_on(said, "compress")
        else compression.choose(headers.get("accept-encoding", "")),
        is_blocked=_is_on(said, "compress"),
        protocol_version=version,
        is_buffered=_is_on(said, "wait_end_of_query"),
    )


def _authenticate(said: Mapping[str, str], headers: Headers, password: str) -> None:
    user, given = said.get("user", ""), said.get("password", "")
    scheme, _, credentials = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            user, _, given = base64.b64decode(credentials, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise QueryFailed(AUTHENTICATION_FAILED, "expected Basic credentials as base64 of user:password") from error
    user = headers.get("x-clickhouse-user") or user
    given = headers.get("x-clickhouse-key") or given
    known = user in _USERS
    right = not password or hmac.compare_digest(given.encode(), password.encode())
    if not (known and right):
        raise QueryFailed(
            AUTHENTICATION_FAILED,
            f"{user[:40]}: Authentication failed: password is incorrect, or there is no user with such name: "
            f"the user is 'default'",
        )


def _text(said: Mapping[str, str], headers: Headers, body: bytes) -> str:
    kind = headers.get("content-type", "").lower()
    if kind.startswith("multipart/"):
        raise QueryFailed(
            NOT_IMPLEMENTED, "expected the query in the body or in ?query=, got a form: external data is not offered"
        )
    if headers.get("content-encoding", "identity").lower() not in {"", "identity"} or _is_on(said, "decompress"):
        raise QueryFailed(NOT_IMPLEMENTED, "expected a query as plain text, got a compressed one")
    parts = [said.get("query", "").encode(), body]
    try:
        return b"\n".join(part for part in parts if part).decode()
    except UnicodeDecodeError as error:
        raise QueryFailed(BAD_ARGUMENTS, "expected the query as UTF-8") from error


def _check_database(asked: str, database: str) -> None:
    # Never another one: the engine's 'default' reads files of the working folder, and the gate trusts bare names.
    if asked not in {"", "default", database}:
        raise QueryFailed(UNKNOWN_DATABASE, f"Database {asked[:80]} does not exist here: ask for {database!r}")


def _parameters(pairs: list[tuple[str, str]]) -> dict[str, str]:
    return {name[len(_PARAMETER) :]: value for name, value in pairs if name.startswith(_PARAMETER)}


def _is_on(said: Mapping[str, str], name: str) -> bool:
    return said.get(name, "0").lower() not in {"0", "", "false"}
