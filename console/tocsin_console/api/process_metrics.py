"""The process itself, under the names that every Prometheus client uses."""

import os
import resource
from pathlib import Path

from tocsin_console.api.exposition import Text


def add_process(text: Text, *, started_at_s: float) -> None:
    """Add memory, processor time, threads and files of this process, as Linux tells them."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    text.add(
        "process_cpu_seconds_total",
        "counter",
        "Processor time of this process, user and system.",
        [({}, used.ru_utime + used.ru_stime)],
    )
    text.add("process_start_time_seconds", "gauge", "Unix time of the start.", [({}, started_at_s)])
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()
        files = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 - names only, a thousand times a day
    except OSError:
        return
    page_bytes = resource.getpagesize()
    text.add("process_virtual_memory_bytes", "gauge", "Address space.", [({}, int(pages[0]) * page_bytes)])
    text.add("process_resident_memory_bytes", "gauge", "Memory in use.", [({}, int(pages[1]) * page_bytes)])
    text.add("process_open_fds", "gauge", "Open files and sockets.", [({}, files)])
    text.add("process_max_fds", "gauge", "How many may be open.", [({}, resource.getrlimit(resource.RLIMIT_NOFILE)[0])])
