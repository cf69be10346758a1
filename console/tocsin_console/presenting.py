"""The part that answers: the API, and what reads the embedded engine."""

import functools
import logging
import os
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from tocsin_alerts.acknowledging import Acknowledgements
from tocsin_alerts.audit import record
from tocsin_alerts.channel_trial import Tried, try_channels
from tocsin_alerts.charts.drawer import Draw, Drawer, can_draw, no_chart
from tocsin_alerts.documents import suggest
from tocsin_alerts.drill.page import MARK
from tocsin_alerts.message import View
from tocsin_alerts.notifiers import WebhookNotifier
from tocsin_alerts.outbox import Notification
from tocsin_alerts.plan import Plan
from tocsin_alerts.report.facts import takes_pages
from tocsin_alerts.routes import lost_routes
from tocsin_alerts.silences import Silences
from tocsin_alerts.status import UseCaseStatus
from tocsin_alerts.verdicts import Verdicts
from tocsin_alerts.windows import declared
from tocsin_collector.correct.relabel import relabel
from tocsin_collector.receive.key_book import KeyBook
from tocsin_collector.store.database import Database
from tocsin_console import rulebook, tables
from tocsin_console.api.app import build_app
from tocsin_console.api.server import ApiServer
from tocsin_console.backing_up import BackupDesk
from tocsin_console.book import Book
from tocsin_console.calls.desk import CallsDesk
from tocsin_console.calls.detail import DetailDesk
from tocsin_console.clickhouse_http.serving import Reading
from tocsin_console.cost.desk import CostDesk
from tocsin_console.disk_watch import PERIOD_S, DiskWatch
from tocsin_console.drill.desk import DrillDesk
from tocsin_console.drill.stage import sweep
from tocsin_console.errors import UsageProblem
from tocsin_console.hearing import Hearing
from tocsin_console.investigation import Explainer, client_for
from tocsin_console.judge.desk import JudgeDesk
from tocsin_console.judging import Judging
from tocsin_console.loop import Loop
from tocsin_console.notifiers import channels_of
from tocsin_console.outcomes import OutcomeDesk
from tocsin_console.parts import Parts
from tocsin_console.privacy import Forgetting
from tocsin_console.process import now
from tocsin_console.reader import Reader
from tocsin_console.recall.desk import RecallDesk
from tocsin_console.reference_desk import ReferenceDesk
from tocsin_console.rehearsing import Rehearsal
from tocsin_console.report.desk import ReportDesk
from tocsin_console.report.sending import Postbox, mailboxes, timetable_of
from tocsin_console.review.desk import ReviewDesk
from tocsin_console.roles import Others
from tocsin_console.spool_desk import SpoolDesk
from tocsin_console.web.news import News
from tocsin_console.wire import document
from tocsin_wire.version import version

_END_S = 15.0
_log = logging.getLogger(__name__)
_FIGURE_S = 10.0
_FIGURES_KEPT = 256
_REPORT_PERIOD_S = 60.0


class Presenting(Judging):
    """A process with the whole API."""

    @abstractmethod
    def _addresses(self) -> dict[str, str]:
        """Say where its other parts listen."""

    @abstractmethod
    def _others(self) -> Others:
        """Name the parts by which a role differs from another, as the API uses them."""

    def _start_api(self) -> dict[str, str]:
        addresses = self._addresses() | self._start_reading()
        parts = self._parts(addresses)
        server = ApiServer(build_app(parts), self._config.api)
        self._ends.callback(lambda: server.stop(timeout_s=5.0))
        self._ends.callback(parts.news.end)  # before the server, which waits for streams
        addresses["api"] = str(server.start())
        return addresses

    def _start_reading(self) -> dict[str, str]:
        self._reader = Reading(self._config)
        self._ends.callback(lambda: self._reader.stop(timeout_s=2.0))
        return self._reader.start(self._config.store_path) if self._config.store_path else {}

    def _start_disk_watch(self) -> None:
        config = self._config
        self._disk = DiskWatch(
            self._sibling(),
            config.data_dir,
            limit_bytes=config.max_disk_bytes,
            is_embedded=config.store_url is None,
            now=now,
        )
        self._disk_loop = Loop("disk", self._disk.turn, period_s=PERIOD_S)
        self._ends.callback(lambda: self._disk_loop.stop(timeout_s=_END_S))
        self._disk_loop.start()

    def _parts(self, addresses: Mapping[str, str]) -> Parts:
        config, reading = self._config, self._sibling()
        book = Book(reading, self._plans, lambda: self._statuses(reading), now=now)
        apart, retraining = self._others(), self._retraining()
        access_keys, identify = self._access()
        acknowledgements = Acknowledgements(self._sibling(), now=now)
        reviews = ReviewDesk(self._sibling(), apart.record_outcomes, clock=self._clock_of_slots, now=now)
        references = ReferenceDesk(self._sibling(), clock=self._clock_of_slots, wall=now, calendar=self._plans.calendar)
        self._report = ReportDesk(
            store=self._sibling(),
            plans=self._plans,
            rules=self._reading.book,
            channels=channels_of(config),
            book=book,
            retraining=retraining,
            references=references,
            reviews=reviews,
            clock=self._clock_of_slots,
            now=now,
        )
        self._postbox = Postbox(
            channels=mailboxes(channels_of(config), config.report),
            post=self._post,
            now=now,
            timetable=timetable_of(config.report),
        )
        sweep(self._database, now=now())
        return Parts(
            config=config,
            version=version(),
            store_version=self._database.version(),
            started_at=self._started_at,
            addresses=addresses,
            book=book,
            draw=self._draw,
            figures=self._figures(),
            reader=Reader(self._database.sibling, database=config.database, embedded=config.store_url is None),
            plans=self._plans,
            lost_routes=lost_routes(self._plans, self._reading.book, {each.name for each in channels_of(config)}),
            channels=channels_of(config),
            guard=apart.guard,
            rules=rulebook.listed(self._reading.book),
            rule_book=self._reading.book,
            collector_stats=lambda: asdict(apart.collector.stats()),
            watermark=lambda: asdict(self._watermark()),
            evaluated_through=apart.evaluated_through,
            delivery_stats=apart.delivery_stats,
            loops=apart.loops,
            disk=self._disk.summary,
            disk_look=self._disk.look,
            disk_drop=lambda by: self._disk.drop(by=by),
            backup=BackupDesk(self._sibling(), now=now).take,
            sync_prices=apart.sync_prices,
            forget=Forgetting(
                self._sibling(),
                watermark=self._watermark,
                waiting=lambda: apart.collector.stats().waiting_requests,
                now=now,
                damaged=config.data_dir / "spool" / "damaged",
            ),
            spool=SpoolDesk(config.data_dir / "spool", self._sibling(), apart.queue),
            keys=KeyBook(self._sibling()),
            keys_changed=apart.keys_changed,
            guard_changed=apart.guard_changed,
            use_cases_mapped=self._map_use_cases,
            relabel=lambda project, old, new: asdict(relabel(self._database, project, old, new)),
            record_outcomes=apart.record_outcomes,
            rehearsal=Rehearsal(config, self._sibling(), complete_to=self._slots_complete_to),
            references=references,
            outcome_desk=OutcomeDesk(self._sibling(), apart.record_outcomes, now=now),
            calls=CallsDesk(store=self._sibling()),
            call_detail=DetailDesk(store=self._sibling()),
            judge=self._judge_desk(),
            cost=CostDesk(store=self._sibling(), plans=self._plans, clock=self._clock_of_slots),
            retraining=retraining,
            report=self._report,
            postbox=self._postbox,
            recall=RecallDesk(store=self._sibling(), clock=self._clock_of_slots, send=self._send_document),
            drill=DrillDesk(
                store=self._sibling(),
                plans=self._plans,
                rules=self._reading.book,
                clock=self._clock_of_slots,
                now=now,
                deliver=self._deliver_drill,
            ),
            explain=Explainer(
                self._own(client_for(self._database)), self._reading.evaluators, slot=self._clock_of_slots
            ),
            try_channels=self._try_channels,
            silences=Silences(
                self._sibling(), now=now, declared=functools.partial(declared, config.maintenance, self._plans)
            ),
            acknowledgements=acknowledgements,
            hearing=Hearing(config, acknowledgements, environment=os.environ, now=now),
            verdicts=Verdicts(self._sibling(), now=now),
            reviews=reviews,
            now=now,
            reading=apart.reading,
            spool_max_bytes=apart.spool_max_bytes,
            collectors=self._fleet.members if config.store_url else list,
            identify=identify,
            audit=self._audit,
            access_keys=access_keys,
            news=News(lambda: (apart.evaluated_through(), self._watermark().complete_to)),
        )

    def _figures(self) -> Draw:
        """Draw for pages in a process of their own: a message's chart does not wait for somebody who looks."""
        if not can_draw():
            return no_chart
        drawer = Drawer(time_s=_FIGURE_S, kept=_FIGURES_KEPT)
        self._ends.callback(drawer.close)
        return drawer.draw

    def _start_reports(self) -> None:
        """Send the week when it is due, where this process tells people; its desk is one of the parts."""
        if self._config.report is None:
            return
        loop = Loop("report", self._report_turn, period_s=_REPORT_PERIOD_S)
        self._ends.callback(lambda: loop.stop(timeout_s=_END_S))
        loop.start()

    def _report_turn(self) -> None:
        if self._may_act():
            self._postbox.turn(self._report.week)

    def _post(self, messages: Sequence[Notification]) -> Sequence[str]:
        return self._delivery.post(messages)

    def _judge_desk(self) -> JudgeDesk:
        return JudgeDesk(store=self._sibling(), now=now)

    def _statuses(self, reading: Database) -> Sequence[UseCaseStatus]:
        return self._engine.status(query=reading)

    def _try_channels(self, name: str) -> list[Tried]:
        chosen = [each for each in self._notifiers if name in ("", each[0].name)]
        if not chosen:
            names = [channel.name for channel, _ in self._notifiers]
            raise UsageProblem(f"expected a channel of tocsin.yaml, got {name!r}: {suggest(name, names)}")
        tried = try_channels(chosen, self._templates, now=now)
        for each in tried:  # a test that was taken is what shows that pages would be
            record(
                self._database,
                key=each.channel,
                at=now(),
                actor="tocsin",
                action="channel test",
                subject=each.channel,
                detail=each.error or "taken",
            )
        return tried

    def _send_document(self, channel: str, message_id: str, said: Mapping[str, Any]) -> None:
        webhooks = {each.name: out for each, out in self._notifiers if isinstance(out, WebhookNotifier)}
        if channel not in webhooks:
            raise UsageProblem(
                f"expected a channel of type webhook, got {channel!r}: {suggest(channel, sorted(webhooks))}"
            )
        webhooks[channel].post(message_id, document(said).encode())

    def _deliver_drill(self, plan: Plan, views: Sequence[View]) -> list[dict[str, Any]]:
        chosen = [each for each in self._notifiers if takes_pages(each[0], plan)]
        return [asdict(each) for each in try_channels(chosen, self._templates, now=now, views=views, mark=MARK)]

    def _clock_of_slots(self) -> datetime:
        """As :meth:`_logical_now`, in a process that evaluates nothing too."""
        return (self._config.clock == "data" and self._watermark().data_complete_to) or now()

    def _slots_complete_to(self) -> datetime:
        mark = self._watermark()
        return (self._config.clock == "data" and mark.data_complete_to) or mark.complete_to

    def _map_use_cases(self) -> int:
        from tocsin_console.config import Flags, resolve

        file = self._config.file or self._config.use_cases_dir.parent / "tocsin.yaml"
        entries = resolve(Flags(config=file), environment=os.environ, cwd=file.parent).use_case_map
        return tables.sync_use_case_map(self._database, entries, now=now())
