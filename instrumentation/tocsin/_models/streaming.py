"""Answers that come one by one: each is a call when it is taken; of very many, a sample whose weights sum to all of them."""

from collections import deque
from collections.abc import Callable, Generator, Iterator
from random import SystemRandom
from types import GeneratorType
from typing import Any, Final

from tocsin._models.operation import Operation, Seen, Watching, now_ns, run_inside
from tocsin._models.registry import MAX_ROWS
from tocsin._process.boundary import Swallow

_CHANCE: Final = SystemRandom()  # the host may have seeded the shared one, and counts on it
_MOST_KEPT: Final = 4_096  # inputs that wait for their answers; a loader that is further ahead goes unmeasured
_IN_STREAM: Final = Swallow("models.stream")


class Overheard:
    """The inputs of a generator, remembered on their way to the model until their answers come."""

    def __init__(self, given: Iterator[Any]) -> None:
        self._kept: deque[Any] = deque(maxlen=_MOST_KEPT)
        self.passed_on = self._pass_on(given)

    @classmethod
    def of(cls, given: Any) -> "Overheard | None":
        """Listen to a generator; None for what is none."""
        return cls(given) if isinstance(given, GeneratorType) else None

    def take(self) -> tuple[Any, ...]:
        """Give the oldest input that has no answer yet, if it came by this process."""
        return (self._kept.popleft(),) if self._kept else ()

    def _pass_on(self, given: Iterator[Any]) -> Generator[Any, None, None]:
        for one in given:
            self._kept.append(one)
            yield one


class Streamed:
    """The host's iterator of answers, in all else that iterator itself."""

    def __init__(
        self,
        answers: Any,
        model: Any,
        method: Callable[..., Any],
        overheard: Overheard | None,
        see: Callable[[Operation], Seen],
    ) -> None:
        self._answers = answers
        self._model = model
        self._method = method
        self._overheard = overheard
        self._see = see
        self._taken: Generator[Any, None, None] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._answers, name)

    def __len__(self) -> int:
        return len(self._answers)

    def __iter__(self) -> Iterator[Any]:
        self._taken = self._take(iter(self._answers))
        return self

    def __next__(self) -> Any:
        if self._taken is None:
            iter(self)
        return next(self._taken or iter(()))

    def _take(self, answers: Iterator[Any]) -> Generator[Any, None, None]:
        picks = _Picks(_limit(self._model))
        try:
            while True:
                start_ns = now_ns()
                try:
                    answer = run_inside(next, answers)
                except StopIteration:
                    return
                except BaseException as error:
                    with _IN_STREAM:
                        self._failed(start_ns, error)
                    raise
                with _IN_STREAM:
                    self._tell(picks.offer(self._operation(answer, start_ns)))
                yield answer
        finally:  # also where the host takes no more
            with _IN_STREAM:
                self._tell(picks.rest())

    def _operation(self, answer: Any, start_ns: int, given: tuple[Any, ...] | None = None) -> Operation:
        asked = given if given is not None else self._overheard.take() if self._overheard is not None else ()
        return Operation(self._model, "pipeline", asked, {}, answer, start_ns, now_ns(), self._method, self._see)

    def _failed(self, start_ns: int, error: BaseException) -> None:
        if Watching.observer is not None:
            Watching.observer.failed(self._operation(None, start_ns), error)

    @staticmethod
    def _tell(picked: tuple[Operation, int] | None) -> None:
        if picked is not None and Watching.observer is not None:
            operation, weight = picked
            operation.stands_for = weight
            Watching.observer.answered(operation)


class _Picks:
    """Chooses from a stream of unknown length: all of the first `limit`, then one of each run, and runs grow with what was seen.

    Weights are whole numbers and sum to what was offered; within a run each is as likely.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._seen = 0
        self._run = 0
        self._picked: Operation | None = None

    def offer(self, operation: Operation) -> tuple[Operation, int] | None:
        """Take one more; gives the one of a finished run and how many it stands for."""
        self._seen += 1
        if self._limit is None or self._seen <= self._limit:
            return operation, 1
        self._run += 1
        if _CHANCE.randrange(self._run) == 0:
            self._picked = operation
        return self.rest() if self._run >= self._seen // self._limit else None

    def rest(self) -> tuple[Operation, int] | None:
        """Give the one of the run that is not finished."""
        picked, run = self._picked, self._run
        self._picked, self._run = None, 0
        return None if picked is None else (picked, run)


def _limit(model: Any) -> int | None:
    observer = Watching.observer
    return MAX_ROWS if observer is None else observer.limit_of(model)
