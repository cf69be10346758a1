"""References and releases as the API and the commands ask for them."""

from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from tocsin_alerts.calendar_days import DaysOf, no_days
from tocsin_alerts.ports import Query
from tocsin_alerts.reference_rows import RowCounts
from tocsin_alerts.references import Kept
from tocsin_alerts.releases import Release, accept_release, choose, freeze_now, load_rows, releases
from tocsin_alerts.versions import Version


class ReferenceDesk:
    """Shows what the present is compared with, and takes decisions about it.

    Args:
        query: A client of its own.
        clock: The clock of the slots.
        wall: The wall clock, for the audit.
        calendar: Days that are left out of references.
    """

    def __init__(
        self,
        query: Query,
        *,
        clock: Callable[[], datetime],
        wall: Callable[[], datetime],
        calendar: DaysOf = no_days,
    ) -> None:
        self._calendar = calendar
        self._query = query
        self._clock = clock
        self._wall = wall

    def listed(self) -> list[dict[str, Any]]:
        """Describe every version, the newest of each use case first."""
        return [_described(each) for each in self._look()]

    def accept(self, asked: dict[str, Any], *, by: str) -> dict[str, Any]:
        """Accept the version that is in use and has not been accepted, or the one that is named.

        Raises:
            ReferenceRefused: there is none, there are several, or it has too few calls.
        """
        model, prompt = asked.get("model_version"), asked.get("prompt_version")
        is_named = (model, prompt) != (None, None)
        known = [
            each for each in self._look() if each.calls and (is_named or (each.is_in_use and not each.accepted_by))
        ]
        return self._decide(accept_release, known, asked, by=by)

    def freeze(self, asked: dict[str, Any], *, by: str) -> dict[str, Any]:
        """Freeze the version in use that has a reference anew, or the one that is named.

        Raises:
            ReferenceRefused: as for :meth:`accept`.
        """
        known = [each for each in self._look() if each.reference and each.calls]
        model, prompt = asked.get("model_version"), asked.get("prompt_version")
        if (model, prompt) == (None, None) and any(each.is_in_use for each in known):
            known = [each for each in known if each.is_in_use]
        return self._decide(freeze_now, known, asked, by=by)

    def _decide(
        self, decide: Callable[..., Kept], known: Sequence[Release], asked: dict[str, Any], *, by: str
    ) -> dict[str, Any]:
        """Take a decision of a person's over one of some versions, and say what is compared with from now on."""
        model, prompt = asked.get("model_version"), asked.get("prompt_version")
        release = choose(known, project=_project(asked), use_case=asked["use_case"], model=model, prompt=prompt)
        kept = decide(
            self._query,
            release.version,
            by=by,
            reason=asked.get("reason") or "",
            now=self._clock(),
            wall=self._wall(),
            calendar=self._calendar,
        )
        return {**asdict(kept.version), "since": kept.since, "until": kept.until, "calls": kept.n}

    def load(self, asked: dict[str, Any], counts: RowCounts, *, by: str) -> dict[str, Any]:
        """Take training rows as the day-one reference of the version that is named, or the only one that has answered.

        Raises:
            ReferenceRefused: as :func:`load_rows`, or several versions have answered.
        """
        project, use_case = _project(asked), str(asked["use_case"])
        model, prompt = asked.get("model_version"), asked.get("prompt_version")
        mine = [
            each
            for each in self._look()
            if each.calls and (each.version.project, each.version.use_case) == (project, use_case)
        ]
        if mine and (model, prompt) == (None, None):
            version = choose(mine, project=project, use_case=use_case, model=None, prompt=None).version
        else:
            version = Version(
                project=project, use_case=use_case, model_version=model or "", prompt_version=prompt or ""
            )
        now, wall = self._clock(), self._wall()
        kept = load_rows(self._query, version, counts, by=by, reason=asked.get("reason") or "", now=now, wall=wall)
        return {**asdict(kept.version), "rows": kept.n, "labels": counts.labels, "refused": counts.refused}

    def _look(self) -> list[Release]:
        return releases(self._query, now=self._clock())


def _project(asked: dict[str, Any]) -> str:
    return str(asked.get("project") or "default")


def _described(release: Release) -> dict[str, Any]:
    reference = release.reference
    return {
        **asdict(release.version),
        "calls": release.calls,
        "first_hour": release.first_hour,
        "last_hour": release.last_hour,
        "is_in_use": release.is_in_use,
        "accepted_by": release.accepted_by,
        "accepted_at": release.accepted_at,
        "reason": release.reason,
        "compared_with": asdict(release.compared_with) if release.compared_with else None,
        "reference": {**asdict(reference), "is_provisional": reference.is_provisional} if reference else None,
        "line": release.line(),
    }
