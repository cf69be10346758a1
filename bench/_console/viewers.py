"""Fifty people who look at live pages while spans arrive: what that takes from the collector."""

import http.client
import multiprocessing
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from _load import Sent, prepared, send
from _report import Figure
from _up import up
from _watch import cpu

VIEWERS, OFFERED, _SECONDS, _BATCH, _STREAMS = 50, 20_000, 30.0, 512, 4


def viewers(folder: Path) -> Iterator[Figure]:
    """Send with nobody there and with everybody there, in turns."""
    alone, watched = [], []
    for turn in range(4):
        place = folder / str(turn)
        place.mkdir(parents=True)
        (watched if turn % 2 else alone).append(_sent(place, VIEWERS if turn % 2 else 0))
    rate = sum(run[0] for run in watched) / sum(run[0] for run in alone)
    spent = sum(run[1] for run in watched) / sum(run[1] for run in alone)
    yield Figure(name="viewers", value=VIEWERS, unit="")
    yield Figure(name="spans_offered_per_s", value=OFFERED, unit="spans/s")
    yield Figure(name="spans_acked_per_s_alone", value=sum(run[0] for run in alone) / len(alone), unit="spans/s")
    yield Figure(name="spans_acked_per_s_watched", value=sum(run[0] for run in watched) / len(watched), unit="spans/s")
    yield Figure(name="ingest_with_viewers_share", value=rate, unit="", goal=">= 0.9")
    yield Figure(name="cpu_with_viewers_share", value=spent, unit="")
    yield Figure(name="pages_given_to_viewers", value=sum(run[2] for run in watched), unit="")


def _sent(folder: Path, people: int) -> tuple[float, float, int]:
    requests = prepared(_BATCH, 1, ai_share=0.1)
    with up(folder) as running:
        address, port = running.facts["api"], int(str(running.facts["grpc"]).rpartition(":")[2])
        spawning = multiprocessing.get_context("spawn")
        counted: Any = spawning.Value("i", 0)
        crowd = spawning.Process(target=_crowd, args=(address, people, counted)) if people else None
        if crowd:
            crowd.start()
            while counted.value < people:  # each has seen the page once
                time.sleep(0.1)
        before = cpu([running.pid])
        answer: Any = spawning.Queue()
        sender = spawning.Process(
            target=send, args=(port, requests, _STREAMS, _SECONDS, answer), kwargs={"per_s": OFFERED / _BATCH}
        )
        sender.start()
        sent: Sent = answer.get()
        sender.join()
        spent = cpu([running.pid]).since(before).total_s
        if crowd:
            crowd.kill()
            crowd.join()
    return len(sent.acked) * _BATCH / sent.seconds, spent, int(counted.value)


def _crowd(address: str, people: int, counted: Any) -> None:
    threads = [threading.Thread(target=_person, args=(address, counted), daemon=True) for _ in range(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _person(address: str, counted: Any) -> None:
    """Open the overview and listen; ask for its inside whenever there is news, as our script does."""
    _look(address, counted)
    stream = http.client.HTTPConnection(address, timeout=120)
    stream.request("GET", "/events")
    answer = stream.getresponse()
    while line := answer.readline():
        if line.startswith(b"event: changed"):
            _look(address, counted)


def _look(address: str, counted: Any) -> None:
    asked = http.client.HTTPConnection(address, timeout=120)
    asked.request("GET", "/", headers={"accept": "text/html", "x-tocsin-part": "main"})
    asked.getresponse().read()
    asked.close()
    with counted.get_lock():
        counted.value += 1
