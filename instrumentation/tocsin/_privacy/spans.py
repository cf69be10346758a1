"""Finished spans on their way out: prompts are measured, then the use case's policy decides what else leaves."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.trace import Link, Status

from tocsin._genai.prompts import Heard, add_words, take, without_guesses
from tocsin._privacy import keys as words
from tocsin._privacy.policies import Policies
from tocsin._privacy.policy import Policy, bare
from tocsin._process.boundary import MISHAPS, Swallow
from tocsin._process.runtime import runtime
from tocsin_wire import attributes as keys

_IN_FEATURES: Final = Swallow("prompt_features")


def guarded(spans: Sequence[ReadableSpan], policies: Policies | None = None) -> list[ReadableSpan]:
    """Return what may leave of spans, in their order: AI calls as their policies say, all others without what the rules name.

    Never raises; of a span that cannot be judged only numbers and names of models are left, and it is counted. The spans themselves stay unchanged, since other
    processors of the host may hold them.
    """
    in_force = runtime().policies if policies is None else policies
    kept = []
    for span in spans:
        try:
            kept.append(_guarded(span, in_force))
        except Exception as error:
            MISHAPS.note("privacy", error)
            kept += _shell(span, in_force)
    return kept


def _guarded(span: ReadableSpan, policies: Policies) -> ReadableSpan:
    attributes = span.attributes or {}
    if not any(map(words.is_ai, attributes)) and not any(event.name.startswith("gen_ai.") for event in span.events):
        return _beside(span, in_force=policies)
    use_case = attributes.get(keys.USE_CASE)
    policy = policies.of(use_case if isinstance(use_case, str) else runtime().settings.use_case)
    call_id = _call_id(span, attributes)
    said: dict[str, Any] = dict(attributes)
    heard = take((span.context.trace_id, span.context.span_id)) if span.context is not None else None
    if policy.wants_features and not any(key.startswith(keys.PROMPT_PREFIX) for key in said):
        with _IN_FEATURES:
            _measure(said, span.events, heard)
    if heard is not None:
        with _IN_FEATURES:
            without_guesses(said, heard)
            if policy.may_keep_content(call_id):
                add_words(said, heard)
    events: Sequence[Event] = span.events
    if events:
        events = [
            Event(policy.text(event.name), policy.apply(event.attributes or {}, call_id), event.timestamp)
            for event in events
        ]
    return _copy(span, policy, policies, policy.apply(said, call_id), events)


def _beside(span: ReadableSpan, in_force: Policies) -> ReadableSpan:
    """Take out of a span that is no AI call's what the rules name: an error goes through the request's span too."""
    policy = in_force.of(None)
    said = span.attributes or {}
    attributes = policy.beside(said)
    events = [Event(policy.text(one.name), policy.beside(one.attributes or {}), one.timestamp) for one in span.events]
    kept = _copy(span, policy, in_force, attributes, events)
    is_same = (
        kept.resource is span.resource
        and kept.instrumentation_scope is span.instrumentation_scope
        and kept.name == span.name
        and kept.status.description == span.status.description
        and attributes == said
        and [(one.name, one.attributes) for one in events] == [(one.name, one.attributes) for one in span.events]
        and [one.attributes for one in kept.links] == [one.attributes for one in span.links]
    )
    return span if is_same else kept


def _measure(said: dict[str, Any], events: Sequence[Event], heard: Heard | None) -> None:
    from tocsin._prompts.foreign import messages_of
    from tocsin._prompts.stage import add_features

    messages = messages_of(said, [(event.name, event.attributes or {}) for event in events])
    if not messages and heard is not None:
        messages = heard.messages
    if messages:
        add_features(said, messages)


def _copy(
    span: ReadableSpan, policy: Policy, policies: Policies, attributes: Mapping[str, Any], events: Sequence[Event]
) -> ReadableSpan:
    links = span.links
    if links:
        links = [Link(link.context, policy.beside(link.attributes or {})) for link in links]
    status = span.status
    if status.description:
        status = Status(status.status_code, policy.error_text(status.description))
    return ReadableSpan(
        name=policy.text(span.name) or "call",
        context=span.context,
        parent=span.parent,
        resource=policies.resource(span.resource),
        attributes=attributes,
        events=events,
        links=links,
        kind=span.kind,
        status=status,
        start_time=span.start_time,
        end_time=span.end_time,
        instrumentation_scope=policies.scope(span.instrumentation_scope),
    )


def _shell(span: ReadableSpan, policies: Policies) -> list[ReadableSpan]:
    """Keep that there was a call, and nothing that anybody said in it."""
    try:
        return [
            ReadableSpan(
                name="call",
                context=span.context,
                parent=span.parent,
                resource=policies.resource(span.resource),
                attributes=bare(span.attributes or {}),
                kind=span.kind,
                status=Status(span.status.status_code),
                start_time=span.start_time,
                end_time=span.end_time,
                instrumentation_scope=policies.scope(span.instrumentation_scope),
            )
        ]
    except Exception as error:
        MISHAPS.note("privacy", error)
        return []


def _call_id(span: ReadableSpan, attributes: Mapping[str, Any]) -> str:
    said = attributes.get(keys.CALL_ID)
    if said or span.context is None:
        return str(said or "")
    return f"{span.context.trace_id:032x}{span.context.span_id:016x}"
