"""A collector in a process of its own, for tests that kill it. Prints its port, then serves until it is ended.

python serving.py DATA_DIR [SERVER_URL DATABASE]
"""

import signal
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

from tocsin_collector.collector import Collector
from tocsin_collector.errors import CollectorError
from tocsin_collector.settings import CollectorSettings
from tocsin_collector.store.database import Database, StoreAddress
from tocsin_collector.store.migrate import migrate


def main(data_dir: Path, url: str = "", name: str = "tocsin") -> None:
    """Serve until SIGTERM."""
    address = StoreAddress(url=url, database=name) if url else StoreAddress(path=data_dir / "store", database=name)
    try:
        database = Database.open(address)
        migrate(database, now=datetime.now(UTC))
        settings = CollectorSettings(data_dir=data_dir, grpc_address="127.0.0.1:0", segment_max_bytes=50_000)
        collector = Collector(settings, database)
        collector.start()
    except CollectorError as error:
        sys.exit(f"{type(error).__name__}: {error}")
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    sys.stdout.write(f"{collector.grpc_port}\n")
    sys.stdout.flush()
    ended.wait()
    collector.stop(drain_s=30)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
