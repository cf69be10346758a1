"""The guard over real gRPC: what services read."""

import json
import queue
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest

from tocsin_alerts.errors import AlertsError
from tocsin_alerts.guard_bar import Bar
from tocsin_alerts.guard_bars import VersionBar
from tocsin_alerts.guard_flags import flag_configuration, terms_of
from tocsin_alerts.guard_server import GuardServer
from tocsin_alerts.plan import Plan, Plans
from tocsin_alerts.records import GuardRow
from tocsin_wire import flagd

SINCE = datetime(2026, 4, 17, tzinfo=UTC)
DEADLINE_S = 20.0


def make_row(**changes: Any) -> GuardRow:
    """Make the row in force of one use case."""
    fields: dict[str, Any] = {
        "project": "default",
        "use_case": "digit-reader",
        "version": 3,
        "state": "fallback",
        "mode": "automatic",
        "applied": True,
        "cause": "accuracy-below-floor: upper 0.896 < floor 0.9",
        "actor": "rule:accuracy-below-floor",
        "incident": "incident-1",
        "probe_share": 0.1,
        "hold_until": None,
        "expires_at": None,
        "since": SINCE,
    }
    return GuardRow(**{**fields, **changes})


@pytest.fixture
def server() -> Iterator[GuardServer]:
    """A server on a free port."""
    started = GuardServer("127.0.0.1:0")
    started.start()
    yield started
    started.stop()


@pytest.fixture
def channel(server: GuardServer) -> Iterator[grpc.Channel]:
    """A client's connection."""
    with grpc.insecure_channel(f"127.0.0.1:{server.port}") as opened:
        yield opened


def _sync(channel: grpc.Channel, selector: str = "") -> Any:
    call = channel.unary_stream(
        f"/{flagd.SERVICE}/{flagd.SYNC_FLAGS}",
        request_serializer=flagd.SyncFlagsRequest.SerializeToString,
        response_deserializer=flagd.SyncFlagsResponse.FromString,
    )
    return call(flagd.SyncFlagsRequest(provider_id="test", selector=selector), timeout=DEADLINE_S)


def _next(stream: Any) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(next(stream).flag_configuration)
    return read


def _until(stream: Any, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    while not holds(read := _next(stream)):
        pass
    return read


def test_a_new_stream_hears_where_things_stand(server: GuardServer, channel: grpc.Channel) -> None:
    """A service that starts in the middle of an incident must not serve the model."""
    server.publish([make_row()], {"digit-reader": "2026-04-17T00:00:00+00:00"})

    said = _until(_sync(channel), lambda state: bool(state["flags"]))

    flag = said["flags"]["tocsin.guard.digit-reader"]
    assert flag["state"] == "ENABLED"
    assert flag["defaultVariant"] == "fallback"
    assert flag["variants"] == {s: s for s in ("normal", "verify", "fallback", "off")}
    assert flag["metadata"]["evaluated_through"] == "2026-04-17T00:00:00+00:00"
    assert (flag["metadata"]["probe_share"], flag["metadata"]["version"]) == (0.1, 3)
    assert said["metadata"] == {"evaluated_through": "2026-04-17T00:00:00+00:00"}


def test_each_publication_reaches_an_open_stream(server: GuardServer, channel: grpc.Channel) -> None:
    """Falling back cannot wait for a poll."""
    stream = _sync(channel)
    _next(stream)

    for day in range(1, 29):
        through = f"2026-02-{day:02}T00:00:00+00:00"
        server.publish([], {"digit-reader": through})
        said = _until(stream, lambda state, through=through: state["metadata"].get("evaluated_through") == through)
        assert said["flags"]["tocsin.guard.digit-reader"]["defaultVariant"] == "normal"


def test_a_slow_stream_skips_to_the_newest(server: GuardServer, channel: grpc.Channel) -> None:
    """Old states are worth nothing, and must not pile up."""
    stream = _sync(channel)
    _next(stream)
    for version in range(500):
        server.publish([make_row(version=version, cause="x" * 4_000)], {})

    said = _until(stream, lambda state: state["flags"]["tocsin.guard.digit-reader"]["metadata"]["version"] == 499)

    assert said["flags"]["tocsin.guard.digit-reader"]["defaultVariant"] == "fallback"


def test_a_thousand_idle_streams_all_hear(server: GuardServer, channel: grpc.Channel) -> None:
    """Each service process keeps one open for as long as it lives."""
    heard: queue.Queue[str] = queue.Queue()

    def listen(stream: Any) -> None:
        try:
            for said in stream:
                heard.put(said.flag_configuration)
        except grpc.RpcError:
            pass

    streams = [_sync(channel) for _ in range(1_000)]
    for stream in streams:
        _next(stream)
    listeners = [threading.Thread(target=listen, args=(stream,)) for stream in streams[::50]]
    for listener in listeners:
        listener.start()

    server.publish([make_row()], {})

    for _ in listeners:
        assert "fallback" in heard.get(timeout=DEADLINE_S)
    for stream in streams[1::50]:
        assert "fallback" in next(stream).flag_configuration
    for stream in streams:
        stream.cancel()
    for listener in listeners:
        listener.join(DEADLINE_S)


def test_publishing_takes_no_time_and_any_thread(server: GuardServer, channel: grpc.Channel) -> None:
    """The engine publishes while it evaluates."""
    threads = [threading.Thread(target=server.publish, args=([make_row(version=number)], {})) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    server.publish([make_row(version=99)], {})

    said = _until(_sync(channel), lambda state: "99" in json.dumps(state))

    assert said["flags"]


def test_fetch_gives_the_same_as_a_stream(server: GuardServer, channel: grpc.Channel) -> None:
    """Some clients poll."""
    server.publish([make_row()], {})
    fetch = channel.unary_unary(
        f"/{flagd.SERVICE}/{flagd.FETCH_ALL_FLAGS}",
        request_serializer=flagd.FetchAllFlagsRequest.SerializeToString,
        response_deserializer=flagd.FetchAllFlagsResponse.FromString,
    )

    said = _until(_sync(channel), lambda state: bool(state["flags"]))
    fetched = json.loads(fetch(flagd.FetchAllFlagsRequest(), timeout=DEADLINE_S).flag_configuration)

    assert fetched == said


def test_a_key_picks_its_project_and_a_wrong_one_nothing() -> None:
    """Two projects may name a use case alike; whose key it is decides, whatever is asked for."""

    def project_of(metadata: Any) -> str | None:
        shown = dict(metadata).get("authorization")
        if shown == "wrong":
            raise AlertsError("expected a key")
        return shown

    server = GuardServer("127.0.0.1:0", project_of=project_of)
    server.start()
    try:
        server.publish([make_row(), make_row(project="shop", state="off")], {})
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            call = channel.unary_unary(
                f"/{flagd.SERVICE}/{flagd.FETCH_ALL_FLAGS}",
                request_serializer=flagd.FetchAllFlagsRequest.SerializeToString,
                response_deserializer=flagd.FetchAllFlagsResponse.FromString,
            )

            def state(*metadata: tuple[str, str]) -> Any:
                request = flagd.FetchAllFlagsRequest(selector="project=default")
                answer = call(request, metadata=metadata, timeout=DEADLINE_S)
                (flag,) = json.loads(answer.flag_configuration)["flags"].values()
                return flag["defaultVariant"]

            assert state() == "fallback"
            assert state(("authorization", "shop")) == "off"
            with pytest.raises(grpc.RpcError) as refused:
                state(("authorization", "wrong"))
            assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    finally:
        server.stop()


def test_a_selector_picks_a_project(server: GuardServer, channel: grpc.Channel) -> None:
    """Two projects may name a use case alike."""
    server.publish([make_row(), make_row(project="other", state="off")], {})

    stream = _sync(channel, "project=other")
    said = _until(stream, lambda state: bool(state["flags"]))

    assert said["flags"]["tocsin.guard.digit-reader"]["defaultVariant"] == "off"


def test_the_source_is_read_at_the_start_and_when_nothing_is_given() -> None:
    """A restart serves what is in force before the first evaluation."""
    server = GuardServer("127.0.0.1:0", lambda: [make_row()])
    server.start()
    try:
        with grpc.insecure_channel(f"127.0.0.1:{server.port}") as channel:
            assert _next(_sync(channel))["flags"]["tocsin.guard.digit-reader"]["defaultVariant"] == "fallback"
    finally:
        server.stop()


def test_a_port_in_use_is_said(server: GuardServer) -> None:
    """Two guards on one port would tell services two things."""
    second = GuardServer(f"127.0.0.1:{server.port}")

    with pytest.raises(AlertsError, match=f"127.0.0.1:{server.port}"):
        second.start()


def test_stopping_ends_the_streams(server: GuardServer, channel: grpc.Channel) -> None:
    """Clients reconnect to whoever comes next, instead of waiting on nobody."""
    stream = _sync(channel)
    _next(stream)

    server.stop()

    assert _end_of(stream) != grpc.StatusCode.DEADLINE_EXCEEDED


def _end_of(stream: Any) -> grpc.StatusCode:
    try:
        for _ in stream:
            pass
    except grpc.RpcError:
        pass
    code: grpc.StatusCode = stream.code()
    return code


def test_metadata_are_texts_numbers_and_booleans() -> None:
    """Flagd's schema refuses null, and a provider that refuses serves nothing."""
    said = json.loads(flag_configuration([make_row(hold_until=SINCE)], {"other": "2026-04-17T00:00:00+00:00"}))

    for flag in said["flags"].values():
        assert set(flag) == {"state", "variants", "defaultVariant", "metadata"}
        assert flag["defaultVariant"] in flag["variants"]
        assert all(isinstance(value, str | int | float | bool) for value in flag["metadata"].values())
    assert said["flags"]["tocsin.guard.digit-reader"]["metadata"]["hold_until"] == "2026-04-17T00:00:00+00:00"
    assert said["flags"]["tocsin.guard.other"]["defaultVariant"] == "normal"


def test_terms_of_the_plan_travel_with_the_flag() -> None:
    """A service that reads the guard knows how far it may go, without reading the plan."""
    plan = Plan.model_validate(
        {"use_case": "triage", "quality": {"floor": 0.9}, "guard": {"mode": "automatic", "fail_mode": "verify"}}
    )
    bar = VersionBar(
        project="default",
        use_case="triage",
        model_version="7",
        prompt_version="",
        floor=0.9,
        bar=Bar(bar=0.8, low_bar=0.4, labels=300),
    )

    said = json.loads(flag_configuration([], {}, terms=terms_of(Plans.of(plan), [bar])))

    flag = said["flags"]["tocsin.guard.triage"]
    assert flag["defaultVariant"] == "normal"
    metadata = flag["metadata"]
    assert (metadata["mode"], metadata["fail_mode"], metadata["floor"]) == ("automatic", "verify", 0.9)
    assert json.loads(metadata["bars"]) == [{"model_version": "7", "bar": 0.8, "low_bar": 0.4, "labels": 300}]
    assert all(isinstance(value, (str, float, int, bool)) for value in metadata.values())  # what flagd's schema allows


def test_without_a_plan_the_guard_is_in_shadow_and_has_no_bar() -> None:
    """Nobody has allowed it to do anything."""
    said = json.loads(flag_configuration([make_row()], {}))

    metadata = said["flags"]["tocsin.guard.digit-reader"]["metadata"]
    assert (metadata["mode"], metadata["fail_mode"]) == ("shadow", "normal")
    assert not {"bars", "floor"} & metadata.keys()
