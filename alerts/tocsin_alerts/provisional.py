"""Which references are provisional, so that what leans on them is a ticket and never a page. Pure.

Training rows, and fewer than four whole weeks of a version that was accepted early: neither knows an ordinary week.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from tocsin_alerts.rule import Rule


class Provisional:
    """The references in force, by use case."""

    def __init__(self, rows: Iterable[Mapping[str, Any]] = ()) -> None:
        self._known: dict[tuple[str, str], list[tuple[datetime, tuple[str, str], str]]] = {}
        for row in rows:
            ends = row["ends"] if row["ends"].tzinfo else row["ends"].replace(tzinfo=UTC)
            version = (row["model_version"], row["prompt_version"])
            self._known.setdefault((row["project"], row["use_case"]), []).append((ends, version, row["made_of"]))

    def demotes(self, rule: Rule, project: str, use_case: str, labels: Mapping[str, str], slot: datetime) -> bool:
        """Say whether this page rule may only be a ticket here: it leans on a reference that is provisional.

        Where samples name no version, what is true of every version together (volume, silence, cost) comes from whole weeks
        alone: they are demoted only while nothing but training rows is there.
        """
        known = [each for each in self._known.get((project, use_case), ()) if each[0] <= slot]
        if not known or rule.text.severity != "page" or not rule.leans_on_reference:
            return False
        if "model_version" not in labels:
            return all(made_of == "rows" for _, _, made_of in known)
        version = (labels["model_version"], labels.get("prompt_version", ""))
        own = [each for each in known if each[1] == version]
        return max(own or known)[2] != ""
