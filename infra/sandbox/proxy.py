"""A TCP proxy on loopback whose connections suffer the toxics of its box."""

import asyncio
import contextlib
import random
import time

from infra.sandbox.pipe import ConnectionEndedError, Pipe, abort
from infra.sandbox.serving import LOOPBACK, listen, port_of
from infra.sandbox.toxics import ToxicBox


class Proxy:
    """Listens on `port` (0 takes a free one) and forwards to `upstream_port`."""

    def __init__(self, name: str, port: int, upstream_port: int, rng: random.Random) -> None:
        self.name = name
        self.upstream_port = upstream_port
        self.box = ToxicBox()
        self._listener = listen(port)
        self._rng = rng
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port it listens on."""
        return port_of(self._listener)

    async def start(self) -> None:
        """Accepts connections."""
        self._server = await asyncio.start_server(self._serve, sock=self._listener)

    async def stop(self) -> None:
        """Accepts no more and ends every connection."""
        if self._server is not None:
            self._server.close()
        self.drop_connections()

    def drop_connections(self) -> None:
        """Ends every connection, as a server that goes down does."""
        for writer in list(self._open):
            abort(writer, reset=False)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.box.is_down(time.monotonic()):
            abort(writer, reset=True)
            return
        try:
            up_reader, up_writer = await asyncio.open_connection(LOOPBACK, self.upstream_port)
        except OSError:
            abort(writer, reset=True)
            return
        self._open |= {writer, up_writer}
        reset = False
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(Pipe(self.box, "upstream", self._rng).carry(reader, up_writer))
                group.create_task(Pipe(self.box, "downstream", self._rng).carry(up_reader, writer))
        except* ConnectionEndedError as ended:
            reset = any(error.reset for error in ended.exceptions if isinstance(error, ConnectionEndedError))
        except* OSError:
            pass  # either side went away: the connection is over
        finally:
            self._open -= {writer, up_writer}
            for end in (writer, up_writer):
                with contextlib.suppress(OSError):
                    abort(end, reset=reset) if reset else end.close()
