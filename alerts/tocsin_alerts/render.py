"""Messages from templates: the shipped ones, overridden by name from a folder of the user's."""

import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields, replace
from datetime import datetime
from pathlib import Path
from time import thread_time
from typing import Any, Final
from urllib.parse import quote

from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, PackageLoader
from jinja2 import TemplateError as JinjaError

from tocsin_alerts.errors import Finding, TemplateError
from tocsin_alerts.message import Message, View
from tocsin_alerts.plain import harmless
from tocsin_alerts.rendering import RenderingProcess
from tocsin_alerts.sandbox import Budget, BudgetedEnvironment
from tocsin_alerts.web_links import runbook_page, use_case_page

NAMES: Final = frozenset(field.name for field in fields(View))
_BYTES: Final = 64 * 1024  # one message; mail programs cut longer ones
_TIME_S: Final = 2.0
_SUBJECT_CHARS: Final = 160


class Templates:
    """Renders the message of a :class:`View`, within bounds and without ever letting its texts act.

    Args:
        folder: The user's, whose templates override the shipped ones by name.
        public_url: Where people reach the console, for links to the pages of incidents, use cases and runbooks; empty: nowhere.
        apart: Render in a process that can be killed, where there is a folder.
        max_bytes: Of one rendered text.
        time_s: For one template, of the clock.
        clock: Seconds of work: on a busy machine a page must not fall to the short form for what others do.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        public_url: str = "",
        apart: bool = False,
        max_bytes: int = _BYTES,
        time_s: float = _TIME_S,
        clock: Callable[[], float] = thread_time,
    ) -> None:
        shipped: list[BaseLoader] = [PackageLoader("tocsin_alerts", "templates")]
        own: list[BaseLoader] = [FileSystemLoader(folder)] if folder else []
        self.text = BudgetedEnvironment(ChoiceLoader(own + shipped), html=False)
        self.html = BudgetedEnvironment(ChoiceLoader(own + shipped), html=True)
        self._public_url = public_url
        self._apart = RenderingProcess(folder) if folder and apart else None
        self._max_bytes = max_bytes
        self._time_s = time_s
        self._clock = clock

    def render(self, name: str, view: View) -> str:
        """Render one template, ``firing.txt.j2`` or ``firing.html.j2``.

        Args:
            name: As in the folder; HTML when it holds ``.html``.
            view: Already :func:`~tocsin_alerts.plain.harmless`.

        Raises:
            TemplateError: it does not exist, cannot be read, names what does not exist, or takes too much.
        """
        if self._apart is not None:
            return self._apart.render(name, view)
        environment = self.html if ".html" in name else self.text
        budget = Budget(deadline=self._clock() + self._time_s, clock=self._clock)
        try:
            with environment.under(budget):
                template = environment.get_template(name)
                return self._within_bytes(template.generate(names(view)))
        except Exception as error:  # a template is its author's code: whatever it raises becomes one error of ours
            raise TemplateError([_finding(name, error)]) from error

    def compose(self, view: View, *, chat: bool, template: str | None = None, html: bool = True) -> Message:
        """Render subject, text and HTML of one message, and its data.

        Args:
            view: As gathered; its texts need not be harmless yet.
            chat: For a receiver that may act on mentions.
            template: What a rule names: ``NAME.txt.j2`` and, where there is one, ``NAME.html.j2`` say that it fires.
            html: For a receiver that shows it; else it stays empty.

        Raises:
            TemplateError: as for :meth:`render`.
        """
        if self._public_url:
            figures = view.dashboard or use_case_page(self._public_url, view.project, view.use_case)
            view = replace(view, page=f"{self._public_url}/alerts/{quote(view.incident)}", dashboard=figures)
            if view.runbook.guide:
                guide = runbook_page(self._public_url, view.lead.rule)
                view = replace(view, runbook=replace(view.runbook, link=view.runbook.link or guide, guide=guide))
        data = as_json(harmless(view, exact=True))
        view = harmless(view, chat=chat)
        subject = " ".join(self.render("subject.txt.j2", view).split())[:_SUBJECT_CHARS]
        stem = template if template and view.transition != "resolved" else view.transition
        text = self.render(f"{stem}.txt.j2", view)
        page = self.render(f"{stem if self.has(f'{stem}.html.j2') else view.transition}.html.j2", view) if html else ""
        return Message(subject=subject, text=text, html=page, data=data)

    def close(self) -> None:
        """End the process that renders, where there is one."""
        if self._apart is not None:
            self._apart.close()

    def has(self, name: str) -> bool:
        """Whether there is a template of a name."""
        return name in self.text.list_templates()

    def _within_bytes(self, chunks: Any) -> str:
        kept, size = [], 0
        for chunk in chunks:
            size += len(chunk.encode("utf-8", "replace"))
            if size > self._max_bytes:
                raise ValueError(f"expected at most {self._max_bytes} bytes, got more: print less")
            kept.append(chunk)
        return "".join(kept)


def names(view: View) -> dict[str, Any]:
    """Give what a template may name."""
    return {name: getattr(view, name) for name in NAMES}


def as_json(view: View) -> dict[str, Any]:
    """Give a view as JSON values: times as ISO 8601, the rest as it is."""
    data: dict[str, Any] = json.loads(json.dumps(asdict(view), default=_plain))
    return data


def fallback(view: View, *, reason: str, chat: bool) -> Message:
    """Say the most important in plain words when a template cannot: an alert is never suppressed by its dress."""
    data = as_json(harmless(view, exact=True))
    view = harmless(view, chat=chat)
    subject = f"[{view.severity} {view.transition}] {view.use_case}: {view.lead.rule}"[:_SUBJECT_CHARS]
    lines = [
        view.do_now,
        *([f"    {view.command}"] if view.command else []),
        "",
        f"{view.severity} {view.transition}: {view.use_case} ({view.project}), rule {view.lead.rule}",
        view.lead.reason,
        f"since {view.onset:%Y-%m-%d %H:%M} UTC, incident {view.incident}",
        f"owner {view.owner or 'unanswered'}, contact {view.contact or 'unanswered'}",
        f"runbook {view.runbook.link or view.runbook.guide or 'unanswered'}",
        *([f"dashboard {view.dashboard}"] if view.dashboard else []),
        "",
        f"(The message template failed, so this is the short form: {' '.join(reason.split())[:300]})",
    ]
    return Message(subject=subject, text="\n".join(lines) + "\n", html="", data=data)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"expected a JSON value, got {type(value).__name__}")


def _finding(name: str, error: Exception) -> Finding:
    message = getattr(error, "message", None) or str(error) or type(error).__name__
    if isinstance(error, RecursionError):
        message = "the template calls itself without end"
    path, line = name, 0
    if isinstance(error, JinjaError) and getattr(error, "lineno", None):
        path = getattr(error, "filename", None) or name
        line = int(getattr(error, "lineno", 0))
    else:
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename.endswith(".j2"):
                path, line = frame.filename, frame.lineno or 0
    return Finding(path=path, line=line, message=message)
