"""What leaves beside a call's own attributes goes by the same rules: handles, outcomes, resources, events, other spans."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import Link, SpanContext, Status, StatusCode, TraceFlags

import tocsin
from tocsin._privacy.hashing import hashed
from tocsin._privacy.policies import Policies
from tocsin._privacy.settings import Privacy
from tocsin._privacy.spans import guarded
from tocsin._process.runtime import runtime
from tocsin_wire import unpack_handle

SECRET = "jo.doe@mail.example"
SALT = b"pepper"
CONTEXT = SpanContext(1, 2, False, TraceFlags(1))


def policies(**said: Any) -> Policies:
    """Policies as `init` would make them."""
    return Policies(Privacy.read({"TOCSIN_HASH_SALT": SALT.decode()}, **said))


def span_of(attributes: Mapping[str, Any], **more: Any) -> ReadableSpan:
    """A finished span."""
    given = {"name": "call", "context": CONTEXT, "resource": Resource({"service.name": "shop"}), **more}
    return ReadableSpan(attributes=attributes, start_time=1, end_time=2, **given)


def everything(span: ReadableSpan) -> str:
    """All that a span says, as one text."""
    events = [(event.name, dict(event.attributes or {})) for event in span.events]
    links = [dict(link.attributes or {}) for link in span.links]
    said = (span.name, dict(span.attributes or {}), events, links, dict(span.resource.attributes))
    return json.dumps((*said, span.status.description), default=str)


def test_a_handle_carries_what_the_span_carries(collector: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A handle stands in forms, log lines and columns; what is hashed on the span must not stand there in the clear."""
    monkeypatch.setenv("TOCSIN_HASH_SALT", SALT.decode())
    tocsin.init(endpoint=collector.endpoint, hash=["customer"])

    with tocsin.observe("triage", segments=("customer", "mail", "vip")) as call:
        call.set_input(customer="c-17", mail=SECRET, vip=True)
        call.set_output(label=f"for {SECRET}")
        known = unpack_handle(call.handle)

    assert tocsin.flush()
    [said] = collector.attributes()
    assert dict(known.segments) == {"customer": hashed("c-17", SALT), "mail": "[redacted:email]", "vip": "true"}
    assert (known.segments["customer"], known.segments["mail"]) == (
        said["tocsin.input.customer"],
        said["tocsin.input.mail"],
    )
    assert known.label == said["tocsin.output.label"] == "for [redacted:email]"


def test_with_capture_off_a_handle_has_no_inputs(collector: Any) -> None:
    """Segments are input fields, and none of them may leave."""
    tocsin.init(endpoint=collector.endpoint, capture="off")

    with tocsin.observe("triage", segments=("plan",)) as call:
        call.set_input(plan="gold")
        call.set_output(label="billing")

    assert dict(unpack_handle(call.handle).segments) == {}
    assert unpack_handle(call.handle).label == "billing"


def test_the_words_of_an_outcome_are_redacted_before_they_leave(collector: Any) -> None:
    """Reviewers quote customers, and customers write about themselves."""
    tocsin.init(endpoint=collector.endpoint)

    tocsin.record_feedback("t1.handle", "down", comment=f"I am {SECRET}", author=SECRET)
    tocsin.record_outcome("t1.handle", label=f"for {SECRET}", source=f"sheet of {SECRET}")

    assert tocsin.flush()
    first, second = collector.outcomes
    assert (first.comment, first.author, first.score) == ("I am [redacted:email]", "[redacted:email]", 0.0)
    assert (second.label, second.source) == ("for [redacted:email]", "sheet of [redacted:email]")


def test_an_outcomes_ids_and_label_are_hashed_as_the_spans_are(collector: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the label by the order's number would neither find its call nor keep the number here."""
    monkeypatch.setenv("TOCSIN_HASH_SALT", SALT.decode())
    tocsin.init(endpoint=collector.endpoint, hash=["tocsin.call.key", "tocsin.output.label", "tocsin.outcome.author"])

    with tocsin.observe("triage", key="order-1") as call:
        call.set_output(label="billing")
    tocsin.record_outcome(key="order-1", label="billing", author="ana")

    assert tocsin.flush()
    [said] = collector.attributes()
    [outcome] = collector.outcomes
    assert outcome.call.key == said["tocsin.call.key"] == hashed("order-1", SALT)
    assert outcome.label == said["tocsin.output.label"] == hashed("billing", SALT)
    assert outcome.author == hashed("ana", SALT)


@pytest.mark.parametrize(
    ("capture", "comment"),
    [("off", ""), ("features", "I am [redacted:email]"), ("full", f"I am {SECRET}")],
)
def test_a_comment_leaves_as_the_use_cases_policy_says(collector: Any, capture: str, comment: str) -> None:
    """By the use case that the handle names."""
    tocsin.init(endpoint=collector.endpoint, capture={"triage": capture, "default": "redacted"})
    with tocsin.observe("triage") as call:
        call.set_output(label="billing")

    tocsin.record_feedback(call.handle, "down", comment=f"I am {SECRET}")
    tocsin.record_outcome(key="o-1", use_case="triage", score=0.5, comment=f"I am {SECRET}")

    assert tocsin.flush()
    assert [outcome.comment for outcome in collector.outcomes] == [comment, comment]


def test_a_long_comment_is_cut_and_says_so(collector: Any) -> None:
    """Nobody may take a half for the whole."""
    tocsin.init(endpoint=collector.endpoint, max_content_chars=100)

    tocsin.record_outcome("t1.handle", score=0.5, comment="slow " * 50)

    assert tocsin.flush()
    assert collector.outcomes[0].comment == ("slow " * 20) + "…[cut at 100 characters]"


def test_a_comment_that_must_not_leave_is_no_outcome(collector: Any) -> None:
    """With capture off nothing of it is left to send, and that is counted."""
    tocsin.init(endpoint=collector.endpoint, capture="off")

    tocsin.record_outcome("t1.handle", comment=f"I am {SECRET}")

    assert tocsin.flush() is False
    assert collector.outcomes == []
    assert tocsin.stats()["outcomes_rejected"] == 1


def test_with_a_setting_that_cannot_be_read_no_word_of_an_outcome_leaves(collector: Any) -> None:
    """As with spans: closed when it fails."""
    tocsin.init(endpoint=collector.endpoint, redact=["no such rule"])

    tocsin.record_outcome("t1.handle", score=0.5, label=SECRET, comment=SECRET, author=SECRET, source=SECRET)

    tocsin.flush()
    assert SECRET not in str(collector.outcomes)
    assert [outcome.score for outcome in collector.outcomes] == [0.5]


def test_a_resource_is_redacted_once_and_keeps_what_names_the_service() -> None:
    """A command line holds a key sooner than anything else; a version of four numbers is no address."""
    resource = Resource(
        {
            "service.name": "shop",
            "service.version": "1.2.3.4",
            "service.instance.id": "627cc493-0123-456789-bd71-410b7dec09af",
            "process.command_args": ("serve", "--key=sk-abcdefghijklmnopqrstuvwx"),
            "owner": SECRET,
        }
    )
    made = policies()
    spans = [span_of({"tocsin.use_case": "triage"}, resource=resource) for _ in range(2)]

    first, second = guarded(spans, made)

    assert first.resource is second.resource
    assert dict(first.resource.attributes) == {
        **resource.attributes,
        "process.command_args": ("serve", "--key=[redacted:api-key]"),
        "owner": "[redacted:email]",
    }


def test_an_untouched_resource_stays_the_same_object() -> None:
    """Spans are grouped by it."""
    [span] = guarded([before := span_of({"tocsin.use_case": "triage"})], policies())

    assert span.resource is before.resource


@pytest.mark.parametrize("attributes", [{"tocsin.use_case": "triage"}, {"http.route": "/"}])
def test_a_scope_is_redacted_once_and_an_untouched_one_stays_the_same_object(attributes: Mapping[str, Any]) -> None:
    """Whoever makes a tracer may give it attributes, which leave with each of its spans."""
    telling = InstrumentationScope("tracer", "1", None, {"tenant": SECRET})
    silent = InstrumentationScope("tracer", "1", None, {"tenant": "shop"})
    made = policies()

    first, second = guarded([span_of(attributes, instrumentation_scope=telling) for _ in range(2)], made)
    [untouched] = guarded([span_of(attributes, instrumentation_scope=silent)], made)

    assert dict(first.instrumentation_scope.attributes) == {"tenant": "[redacted:email]"}
    assert first.instrumentation_scope is second.instrumentation_scope
    assert untouched.instrumentation_scope is silent


@pytest.mark.parametrize("kind", ["an AI call", "another span"])
def test_events_exceptions_links_and_status_are_redacted(kind: str) -> None:
    """An error quotes what it could not read, on the call's span and on the request's around it."""
    attributes = {"tocsin.use_case": "triage"} if kind == "an AI call" else {"http.route": f"/users/{SECRET}"}
    exception = {
        "exception.type": "ValueError",
        "exception.message": f"no such user {SECRET}",
        "exception.stacktrace": f'File "a.py", line 1\nValueError: no such user {SECRET}',
    }
    span = span_of(
        attributes,
        name=f"ask {SECRET}",
        events=(Event("exception", exception, 3),),
        links=(Link(CONTEXT, {"why": SECRET}),),
        status=Status(StatusCode.ERROR, f"no such user {SECRET}"),
    )

    [kept] = guarded([span], policies())

    assert SECRET not in everything(kept)
    assert kept.events[0].attributes is not None
    assert kept.events[0].attributes["exception.type"] == "ValueError"
    assert str(kept.events[0].attributes["exception.stacktrace"]).startswith('File "a.py", line 1')
    assert len(kept.links) == 1


def test_with_capture_off_an_error_keeps_its_type_only() -> None:
    """Its message may be the prompt."""
    exception = {"exception.type": "ValueError", "exception.message": "help me", "exception.stacktrace": "help me"}
    span = span_of(
        {"tocsin.use_case": "triage"},
        events=(Event("exception", exception, 3),),
        status=Status(StatusCode.ERROR, "ValueError: help me"),
    )

    [kept] = guarded([span], policies(capture="off"))

    assert dict(kept.events[0].attributes or {}) == {"exception.type": "ValueError"}
    assert (kept.status.status_code, kept.status.description) == (StatusCode.ERROR, None)


def test_another_span_keeps_its_attributes_and_loses_only_what_the_rules_name() -> None:
    """A request's body is no prompt; its fields may have the names of content."""
    span = span_of({"message": f"mail {SECRET}", "http.status_code": 200, "customer": "c-17"})

    [kept] = guarded([span], policies(hashed=["customer"]))

    assert kept.attributes == {
        "message": "mail [redacted:email]",
        "http.status_code": 200,
        "customer": hashed("c-17", SALT),
    }


@pytest.mark.parametrize("said", [{}, {"capture": "full"}])
def test_another_span_without_anything_to_take_out_is_left_as_it_is(said: dict[str, Any]) -> None:
    """No copy, no cost beyond the reading."""
    before = span_of({"http.route": "/users/{id}", "http.status_code": 200})

    assert guarded([before], policies(**said)) == [before]


def test_spans_of_the_host_leave_redacted(collector: Any) -> None:
    """End to end: a request's span around the call, with the error that went through both."""
    tocsin.init(endpoint=collector.endpoint)
    provider = runtime().provider
    assert provider is not None
    tracer = provider.get_tracer("host")

    with pytest.raises(ValueError, match="no such user"), tracer.start_as_current_span("GET /ask"):  # noqa: SIM117
        with tocsin.observe("triage"):
            raise ValueError(f"no such user {SECRET}")

    assert tocsin.flush()
    assert len(collector.spans) == 2
    assert SECRET not in str(collector.spans)
