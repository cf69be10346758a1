"""One request of a client, from the moment it is made to the last word of its answer, with every attempt at it."""

import sys
import time
from collections.abc import Mapping
from contextvars import ContextVar
from types import FrameType
from typing import Any, Final

from opentelemetry import trace

from tocsin._calls.call import CURRENT, Call
from tocsin._calls.handles import call_id
from tocsin._genai.estimates import prompt_tokens, tokens_of
from tocsin._genai.reading import Answer, read
from tocsin._process.boundary import Swallow, type_name
from tocsin._process.runtime import runtime
from tocsin_wire import attributes as keys

_IN_EXCHANGE: Final = Swallow("genai.exchange")
PROVIDER: Final = "gen_ai.provider.name"
FINISH_REASONS: Final = "gen_ai.response.finish_reasons"
FIRST_CHUNK: Final = "gen_ai.response.time_to_first_chunk"  # double, s
CACHE_READ: Final = "gen_ai.usage.cache_read.input_tokens"
CACHE_WRITE: Final = "gen_ai.usage.cache_creation.input_tokens"

CANCELLED: Final = "cancelled"  # error.type: the task that read the stream was cancelled
ABANDONED: Final = "abandoned"  # error.type: nobody read the stream to its end, nor closed it
CUT_SHORT: Final = "cut_short"  # error.type: the stream ended without a reason to finish
CLOSED: Final = "stream_closed"  # flag: the caller closed the stream early, which is no error
ESTIMATED: Final = "tokens_estimated"  # flag

ACTIVE: Final[ContextVar["Exchange | None"]] = ContextVar("tocsin_exchange", default=None)


class Exchange:
    """What is heard of one request. Its `facts` are written on every span that tells of it."""

    def __init__(self, provider: str, operation: str, body: Mapping[str, Any], use_case: str | None) -> None:
        self.provider = provider
        self.operation = operation
        self.body = body
        self.use_case = use_case
        self.outer: Call | None = CURRENT.get()  # an observed function around it
        self.owner: str = ""  # call id of the outermost span that tells of this request
        self.tellers: list[Any] = []  # the notes of all of them, outermost first
        self.answer = Answer()
        self.is_stream = False
        self.error_type = ""
        self.is_closed = False
        self.is_done = False
        self.is_under_way = True  # the client is at work: on the request, or on the next event of a stream
        self._model = str(body.get("model") or "")
        self._started_s = time.perf_counter()
        self._attempt_started_ns = runtime().clock()
        self._first_chunk_s: float | None = None
        self._attempts: list[str] = []  # call ids of those that failed and were tried again

    @property
    def messages(self) -> Any:
        """The prompt, as the client was given it."""
        body = self.body
        found = body.get("messages") or body.get("input") or body.get("prompt")
        system = body.get("system") or body.get("instructions")
        if not system:
            return found
        rest = found if isinstance(found, list) else [{"role": "user", "content": found}]
        return [{"role": "system", "content": system}, *rest]

    @property
    def text(self) -> str:
        """What the model wrote."""
        return self.answer.text

    @property
    def model(self) -> str:
        """The model that answered; empty when none did."""
        return self.answer.model

    def retried(self, error: BaseException | None, status: int | None) -> None:
        """Record an attempt that failed and will be made again: it is a call of its own."""
        if not self.owner:  # nobody tells of this request, so its attempts would be told of alone
            return
        now = runtime()
        said: dict[str, Any] = {
            keys.OPERATION: self.operation,
            PROVIDER: self.provider,
            keys.REQUEST_MODEL: self._model,
            keys.ATTEMPT: len(self._attempts) + 1,
        }
        if self.use_case:
            said[keys.USE_CASE] = self.use_case
        if self._attempts:
            said[keys.RETRY_OF] = self._attempts[0]
        call = Call(now.starter, f"{self.operation} {self._model}", self._attempt_started_ns, said)
        self._attempts.append(call.call_id)
        if error is None:
            call.say(keys.ERROR_TYPE, str(status or "retried"))
        call._finish(error)  # noqa: SLF001 - one of our own
        self._attempt_started_ns = now.clock()

    def heard(self, said: Any) -> None:
        """Take a whole response or the next event of a stream."""
        wrote = read(self.answer, said)
        if wrote and self.is_stream and self._first_chunk_s is None:
            self._first_chunk_s = time.perf_counter() - self._started_s
        if self.answer.response_id:
            self._tell_outer()

    def finished(self) -> None:
        """Nothing comes any more."""
        if self.is_done:
            return
        self.is_done = True
        if self.is_stream and not self.answer.is_complete and not self.is_closed and not self.error_type:
            self.error_type = CUT_SHORT
        self._tell_outer()

    def failed(self, error: BaseException) -> None:
        """The request, or the reading of its answer, raised this."""
        if self.is_done:
            return
        if isinstance(error, GeneratorExit):
            self.closed()
            return
        self.error_type = CANCELLED if type(error).__name__ == "CancelledError" else type_name(error)
        self.finished()

    def closed(self) -> None:
        """The caller wants no more of it."""
        if not self.is_done and not self.answer.is_complete:
            self.is_closed = True
        self.finished()

    def let_go(self) -> None:
        """A span that tells of it ends: because of what is heard this moment, or because nobody wants more of a stream."""
        error = sys.exc_info()[1]
        if self.is_under_way and error is not None:
            self.failed(error)
        elif not self.is_stream:
            return
        elif self.is_under_way:
            self.finished()
        elif _is_in_finalizer():
            self.abandoned()
        else:
            self.closed()

    def abandoned(self) -> None:
        """The stream is gone, and nobody said anything."""
        if not self.is_done and not self.answer.is_complete:
            self.error_type = ABANDONED
        self.finished()

    def facts(self) -> dict[str, Any]:
        """Say what is known, as attributes."""
        answer = self.answer
        known: dict[str, Any] = {
            keys.REQUEST_MODEL: self._model or None,
            keys.RESPONSE_ID: answer.response_id or None,
            keys.RESPONSE_MODEL: answer.model or None,
            keys.INPUT_TOKENS: answer.input_tokens,
            keys.OUTPUT_TOKENS: answer.output_tokens if self.operation != "embeddings" else None,
            # A usage that lists none was billed for none: some instrumentors write that down as 0, others not at all.
            CACHE_READ: answer.cache_read_tokens or (None if answer.input_tokens is None else 0),
            CACHE_WRITE: answer.cache_write_tokens,
            FINISH_REASONS: tuple(answer.finish_reasons) or None,
            FIRST_CHUNK: self._first_chunk_s,
            keys.CONFIDENCE: answer.certainty.confidence,
            keys.ERROR_TYPE: self.error_type or None,
        }
        if known[keys.CONFIDENCE] is not None:
            known[keys.CONFIDENCE_SOURCE] = "logprob"
        if answer.cost_usd is not None:
            known |= {keys.COST_AMOUNT: answer.cost_usd, keys.COST_CURRENCY: "USD", keys.COST_SOURCE: "provider"}
        if self._attempts:
            known |= {keys.ATTEMPT: len(self._attempts) + 1, keys.RETRY_OF: self._attempts[0]}
        flags = []
        if self.is_closed:
            flags.append(CLOSED)
        if self._estimate(known):
            flags.append(ESTIMATED)
        if flags:
            known[keys.FLAGS] = ",".join(flags)
        return {key: value for key, value in known.items() if value is not None}

    def _estimate(self, known: dict[str, Any]) -> bool:
        """Fill in the tokens of a stream that was answered and said nothing of them, or not all."""
        if not self.is_stream or not (self.answer.chars or self.answer.response_id):
            return False
        if known[keys.INPUT_TOKENS] is not None and known[keys.OUTPUT_TOKENS] is not None:
            return False
        if known[keys.INPUT_TOKENS] is None:
            known[keys.INPUT_TOKENS] = prompt_tokens(self.messages)
        if known[keys.OUTPUT_TOKENS] is None:
            known[keys.OUTPUT_TOKENS] = tokens_of(self.answer.text)
        return True

    def _tell_outer(self) -> None:
        """Tell an observed function which response answered it, so that the two are one call."""
        outer, self.outer = self.outer, None
        if outer is None or not (self.answer.response_id or self.owner):
            self.outer = outer if not self.is_done else None
            return
        with _IN_EXCHANGE:
            outer.set_response_id(self.answer.response_id or self.owner)
            if not self.owner:  # no instrumentor tells of it, so the observed call does
                outer.set_prompt(self.messages)
            outer.deferred.append(self._complete)

    def _complete(self, attributes: dict[str, Any]) -> None:
        """Add to an observed call, once it has ended, what its one response says and it does not."""
        if attributes.get(keys.RESPONSE_ID) != (self.answer.response_id or self.owner):
            return  # several responses went into it
        confidence = self.answer.certainty.confidence
        if confidence is not None and keys.CONFIDENCE not in attributes:
            attributes[keys.CONFIDENCE] = confidence
            attributes[keys.CONFIDENCE_SOURCE] = "logprob"
        if not self.owner:
            for key, value in self.facts().items():
                attributes.setdefault(key, value)
            attributes.setdefault(keys.OPERATION, self.operation)
            attributes.setdefault(PROVIDER, self.provider)
            if self._model:
                attributes.setdefault(keys.REQUEST_MODEL, self._model)


def _is_in_finalizer() -> bool:
    """Tell a span that ends because the stream was thrown away from one whose caller closed it: both end before we are told."""
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - documented, if only for this interpreter
    for _ in range(_FRAMES):
        if frame is None:
            return False
        if frame.f_code.co_name == "__del__":
            return True
        frame = frame.f_back
    return False


_FRAMES: Final = 24


def id_of(span: trace.Span, attributes: Mapping[str, Any]) -> str:
    """Name the call that a span becomes."""
    context = span.get_span_context()
    return str(attributes.get(keys.CALL_ID) or call_id(context.trace_id, context.span_id))
