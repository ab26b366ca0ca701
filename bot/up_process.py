"""The supervisor process: `sre-space up`."""

import asyncio
import signal
import sys

from bot.app.bus import open_bus
from bot.process import run_process
from bot.settings import Mode, Settings, reachable
from bot.supervisor import up


async def run_up(settings: Settings) -> None:
    """Run all of SRE-Space until SIGTERM or SIGINT; what is missing is said before anything starts.

    Raises:
        SettingsError: something that the processes need is not set.
        BusUnavailableError: the event bus that ENV asks for does not answer.
    """
    settings.require_github()
    settings.require_repository()
    if settings.mode is not Mode.EMBEDDED:
        await (await open_bus(settings)).close()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await up(settings, stop, echo=_echo, started=_started)


def _echo(name: str, line: str) -> None:
    sys.stdout.write(f"{name:<7} {line}\n")


def _started(settings: Settings) -> None:
    sys.stdout.write(
        f"SRE-Space is up. Dashboard: http://{settings.web_host}:{settings.web_port}  "
        f"Webhooks: /webhooks/github  OTLP: {settings.scout_url} (HTTP), {_grpc(settings)} (gRPC)  Stop with Ctrl-C.\n"
    )
    sys.stdout.flush()


def _grpc(settings: Settings) -> str:
    port = settings.scout_grpc_port
    return "off" if port == "off" else f"{reachable(settings.scout_host)}:{port}"


if __name__ == "__main__":
    run_process(run_up)
