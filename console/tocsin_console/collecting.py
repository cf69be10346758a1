"""The part that receives and loads."""

from tocsin_collector.collector import Collector
from tocsin_collector.settings import CollectorSettings
from tocsin_console.addresses import Address
from tocsin_console.process import RoleProcess


class Collecting(RoleProcess):
    """A process with receivers, a spool and a loader."""

    def _make_collector(self) -> None:
        config = self._config
        self._collector = Collector(
            CollectorSettings(
                data_dir=config.data_dir,
                grpc_address=str(config.grpc),
                http_address=str(config.http) if config.http else None,
                max_value_bytes=config.limits.max_value_bytes,
                keep_long_values=config.limits.keep_long_values,
                max_attributes=config.limits.max_attributes,
                spool_max_bytes=config.spool_max_bytes,
                name=config.collector_name,
                tls=config.tls,
                redactions=config.redactions,
            ),
            self._database,
            keyring=self._keys,
        )

    def _start_collector(self) -> None:
        self._ends.callback(lambda: self._collector.stop(self._drain_s))
        self._collector.start()

    def _intake_addresses(self) -> dict[str, str]:
        config = self._config
        bound = {"grpc": str(Address(host=config.grpc.host, port=self._collector.grpc_port))}
        if config.http is not None:
            bound["http"] = str(Address(host=config.http.host, port=self._collector.http_port))
        return bound
