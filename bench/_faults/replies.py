"""Requests are stored, and their replies never arrive: the sender sends the same bytes again."""

import asyncio
import random
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import MappingProxyType
from typing import Final, Self

import grpc

from _faults.contract import Fault, FaultResult, Scale
from _faults.node import Node, data_folder
from _faults.proof import prove, unbalanced
from _faults.sender import Requests, connect, send_once

_FRAME_HEAD: Final = 9  # bytes: 3 length, 1 type, 1 flags, 4 stream. RFC 9113, section 4.1
_HEADERS: Final = 1  # the first frame of a reply; a unary reply begins when the request is durable
_SENDERS: Final = 8


def reply_lost(scale: Scale, seed: int) -> FaultResult:
    """Cut every connection when its reply comes, some twice, and send again: soon, later, after a restart, in any order."""
    count, wave, batch = scale.pick(full=(10_000, 500, 10), short=(60, 30, 5))
    dice = random.Random(seed)
    requests = Requests(batch=batch, seed=seed)
    recognised = off = arrived = restarts = 0
    with data_folder() as folder, Node(folder=folder) as node, ReplyCutter(node.port) as cutter:
        for first in range(0, count, wave):
            serials = list(range(first, min(first + wave, count)))
            arrived += _lose(cutter.port, requests, serials)
            dice.shuffle(serials)
            soon, later = serials[: wave // 4], serials[wave // 4 :]
            arrived += _lose(cutter.port, requests, soon)  # lost once more
            _send(node.port, requests, soon)
            stats = node.settled()  # the files that held them are gone
            number = first // wave
            if number % 4 == 1:
                recognised, off = recognised + stats["duplicate_requests"], off + unbalanced(stats)
                node.kill() if number % 8 == 1 else node.end()
                node.start()
                restarts += 1
            _send(node.port, requests, later)
            print(f"  {first + wave:,} of {count:,} lost, {cutter.cuts:,} replies cut, {restarts} restarts", flush=True)
        stats = node.settled()
        proof = prove(node.ask("held"), range(count), batch=batch)
    return FaultResult(
        missing=proof.missing,
        duplicates=proof.duplicates,
        crashes=0,
        counters={
            "requests": count,
            "replies_lost": cutter.cuts,
            "replies_not_lost": arrived,
            "restarts": restarts,
            "retries_recognised": recognised + stats["duplicate_requests"],
            "stored_rows": proof.rows,
            "ledger_off": proof.ledger_off + off + unbalanced(stats),
        },
        goals={"replies_not_lost": "== 0", "replies_lost": f">= {count}", "ledger_off": "== 0"},
    )


def _lose(port: int, requests: Requests, serials: Sequence[int]) -> int:
    """Send requests whose replies are lost; return how many arrived all the same."""

    def lose(serial: int) -> bool:
        channel, export = connect(port)
        try:
            export(requests.numbered(serial), timeout=30)
        except grpc.RpcError:
            return False
        finally:
            channel.close()
        return True

    with ThreadPoolExecutor(_SENDERS) as pool:
        return sum(pool.map(lose, serials))


def _send(port: int, requests: Requests, serials: Sequence[int]) -> None:
    shares = [[requests.numbered(serial) for serial in serials[n::_SENDERS]] for n in range(_SENDERS)]
    with ThreadPoolExecutor(_SENDERS) as pool:
        list(pool.map(lambda share: send_once(port, share), shares))


class ReplyCutter:
    """Stands before a collector; closes a connection instead of passing a reply on."""

    def __init__(self, upstream: int) -> None:
        self._upstream = upstream
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._server: asyncio.Server | None = None
        self.port = 0
        self.cuts = 0

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", self._upstream)
        ways = [
            asyncio.create_task(_pass_on(reader, up_writer)),
            asyncio.create_task(self._until_reply(up_reader, writer)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)
        for end in (writer, up_writer):
            end.transport.abort()

    async def _until_reply(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readexactly(_FRAME_HEAD)
            body = await reader.readexactly(int.from_bytes(head[:3]))
            if head[3] == _HEADERS:
                self.cuts += 1
                return
            writer.write(head + body)
            await writer.drain()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()


FAULTS: Mapping[str, Fault] = MappingProxyType({"reply_lost": reply_lost})
