"""A network that can be cut: a loopback port that leads to another, unless it is told not to."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Final

_PIECE: Final = 65_536


class Proxy:
    """Between workers and broker; a thread of its own carries the bytes.

    A cut is silent, as one in a cable (connections stay and nothing comes), or hard (connections break and new ones are
    refused, as by a firewall). What was under way in a silent cut arrives after it, as TCP sends it again.
    """

    def __init__(self) -> None:
        self.port = 0
        self.to_port = 0
        self.n_connections = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._writers: set[asyncio.StreamWriter] = set()
        self._is_open = asyncio.Event()
        self._refuses = False
        self._thread.start()
        self._call(self._begin)

    def cut(self, *, is_hard: bool) -> None:
        """Let nothing through."""
        self._call(self._cut, is_hard)

    def mend(self) -> None:
        """Let everything through."""
        self._call(self._mend)

    def close(self) -> None:
        """End it."""
        self._call(self._end)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10.0)
        self._loop.close()

    def _call(self, what: Callable[..., Awaitable[None]], *arguments: object) -> None:
        async def call() -> None:
            await what(*arguments)

        asyncio.run_coroutine_threadsafe(call(), self._loop).result(10.0)

    async def _begin(self) -> None:
        self._is_open.set()
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _cut(self, is_hard: bool) -> None:
        self._is_open.clear()
        self._refuses = is_hard
        if is_hard:
            for writer in self._writers:
                writer.transport.abort()

    async def _mend(self) -> None:
        self._refuses = False
        self._is_open.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.n_connections += 1
        if self._refuses:
            writer.transport.abort()
            return
        try:
            there_reader, there = await asyncio.open_connection("127.0.0.1", self.to_port)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, there}
        try:
            await asyncio.gather(self._carry(reader, there), self._carry(there_reader, writer))
        except OSError:
            pass
        finally:
            for one in (writer, there):
                self._writers.discard(one)
                one.transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while piece := await reader.read(_PIECE):
            await self._is_open.wait()
            writer.write(piece)
            await writer.drain()
        raise ConnectionResetError
