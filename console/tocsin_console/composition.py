"""The one place where the parts meet: ``tocsin up``. What runs of it apart over a server is in :mod:`apart`."""

import os
import time
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from tocsin_alerts.fencing import Tenancy, next_epoch
from tocsin_collector.correct.public_prices import PublicPrices
from tocsin_collector.load.watermark import Watermark
from tocsin_collector.store.lease import RENEWAL_S
from tocsin_console.addresses import Address
from tocsin_console.collecting import Collecting
from tocsin_console.judge.desk import JudgeDesk, desk_of
from tocsin_console.loop import Loop
from tocsin_console.outcomes import record_outcomes
from tocsin_console.presenting import Presenting
from tocsin_console.process import now
from tocsin_console.roles import Others, Role
from tocsin_console.tenure import ANSWER_S, LOST, Tenure

_JUDGE_PERIOD_S = 60.0
_END_S = 15.0


class Up(Collecting, Presenting):
    """Everything in one process; started against the stream of data, so that it ends with the stream."""

    role: Role = "up"

    def start(self) -> dict[str, Any]:
        """As :meth:`RoleProcess.start`."""
        self._check()
        self._read_files()
        self._open()
        self._read_rules()
        self._sync_tables()
        self._make_collector()
        self._begin_tenure()
        self._start_alerts(self._reading)
        self._start_collector()
        self._start_loops()
        addresses = self._start_api()
        self._start_reports()
        if self._tenure:
            self._tenure.lease.moved_to(addresses["api"])
        return self._announce(addresses)

    def _begin_tenure(self) -> None:
        """Become the evaluator: nobody else can be over the embedded engine, and over a server nobody else may."""
        if self._config.store_url is None:
            self._tenancy = Tenancy(epoch=next_epoch(self._database))
            return
        self._tenure = Tenure(self._sibling(), through=self._sibling(timeout_s=ANSWER_S), address="", pause=time.sleep)
        self._tenure.require()
        self._ends.callback(self._tenure.release)
        self._tenancy = self._tenure.tenancy()
        lease_loop = self._lease_loop = Loop("lease", self._keep_lease, period_s=RENEWAL_S)
        self._ends.callback(lambda: lease_loop.stop(timeout_s=_END_S))
        lease_loop.start()

    def _keep_lease(self) -> None:
        if self._tenure and not self._tenure.renew():
            self.failure = LOST

    def _watermark(self) -> Watermark:
        own = self._collector.watermark()
        if self._config.store_url is None:
            return own
        others = [each for each in self._fleet.members() if each.is_live and each.name != self._config.collector_name]
        return replace(own, complete_to=min((own.complete_to, *(each.complete_to for each in others))))

    def _start_loops(self) -> None:
        self._collector.on_loaded(self._evaluation.data_arrived)
        self._collector.on_loaded(self._loop.wake)
        self._loop.start()
        self._start_prices()
        self._start_disk_watch()

    def _own_loops(self) -> Sequence[Loop]:
        """List the loops that only a process with a spool has: what they find is recorded there."""
        self._judge = desk_of(
            self._config,
            self._sibling,
            record=lambda said: record_outcomes(self._collector.record, said),
            catalogue=lambda: PublicPrices(today=now().date()),
            environment=os.environ,
            clock=self._logical_now,
            now=now,
        )
        if self._judge.judge is None:
            return ()
        self._judge_loop = Loop("judge", self._judge.run, period_s=_JUDGE_PERIOD_S)
        return (self._judge_loop,)

    def _addresses(self) -> dict[str, str]:
        config = self._config
        return {**self._intake_addresses(), "guard": str(Address(host=config.guard.host, port=self._guard_server.port))}

    def _others(self) -> Others:
        """Name the parts by which a role differs from another, as the API uses them."""
        return Others(
            collector=self._collector,
            queue=self._collector.queue,
            guard=self._guard,
            evaluated_through=self._evaluated_through,
            delivery_stats=lambda: asdict(self._delivery.stats()),
            loops=lambda: {
                "engine": self._loop.stats(),
                "prices": self._prices.stats(),
                "bars": self._bars_loop.stats(),
                "contents": self._contents_loop.stats(),
                "retraining": self._retraining_loop.stats(),
                **({"dead man": self._dead_man_loop.stats()} if self._dead_man_loop else {}),
                **({"adopted tables": self._adopted_loop.stats()} if self._adopted_loop else {}),
                "disk": self._disk_loop.stats(),
                **({"lease": self._lease_loop.stats()} if self._tenure else {}),
                **({"judge": self._judge_loop.stats()} if self._judge.judge else {}),
            },
            sync_prices=self._keeper.price_all,
            keys_changed=self._keys.refresh,
            guard_changed=self._guard_changed,
            record_outcomes=lambda said: record_outcomes(self._collector.record, said),
            spool_max_bytes=self._collector.settings.spool_max_bytes,
            reading=self._reader.counts,
        )

    def _judge_desk(self) -> JudgeDesk:
        return self._judge
