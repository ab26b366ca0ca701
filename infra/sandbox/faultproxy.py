"""TCP proxies with toxics, controlled over HTTP on loopback in the manner of toxiproxy."""

import argparse
import asyncio
import random
from dataclasses import dataclass
from pathlib import Path

import structlog

from infra.sandbox.parent import die_with_parent
from infra.sandbox.proxy import Proxy
from infra.sandbox.proxy_control import control_app
from infra.sandbox.serving import listen, load_token, port_of, serve_until, stop_event, write_json_lines


@dataclass(frozen=True)
class ProxyOptions:
    """One `--proxy NAME:PORT:UPSTREAM_PORT` of the command line."""

    name: str
    port: int
    upstream_port: int


async def run(options: list[ProxyOptions], control_port: int, token_file: Path) -> None:
    """Forwards until SIGTERM or SIGINT."""
    stopped = stop_event()
    rng = random.Random()
    proxies = {item.name: Proxy(item.name, item.port, item.upstream_port, rng) for item in options}
    for proxy in proxies.values():
        await proxy.start()
    listener = listen(control_port)
    ports = {name: proxy.port for name, proxy in proxies.items()}
    structlog.get_logger().info("fault_proxy_started", ports=ports, control_port=port_of(listener))
    await serve_until(control_app(proxies, load_token(token_file)), listener, stopped)
    for proxy in proxies.values():
        await proxy.stop()
    structlog.get_logger().info("fault_proxy_stopped")


def parse_proxy(text: str) -> ProxyOptions:
    """Returns the proxy that `NAME:PORT:UPSTREAM_PORT` describes.

    Raises:
        argparse.ArgumentTypeError: The text is not of that form.
    """
    name, _, ports = text.partition(":")
    port, _, upstream_port = ports.partition(":")
    if not (name and port.isdecimal() and upstream_port.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME:PORT:UPSTREAM_PORT")
    return ProxyOptions(name, int(port), int(upstream_port))


def main() -> None:
    """Reads the command line and forwards."""
    parser = argparse.ArgumentParser(prog="python -m infra.sandbox.faultproxy", description=__doc__)
    parser.add_argument("--proxy", type=parse_proxy, action="append", required=True, metavar="NAME:PORT:UPSTREAM_PORT")
    parser.add_argument("--control-port", type=int, default=0, help="port on 127.0.0.1; 0 takes a free one")
    parser.add_argument("--token-file", type=Path, required=True, help="control token; made when missing")
    parser.add_argument("--die-with-parent", action="store_true", help="end when the starting process ends")
    arguments = parser.parse_args()
    write_json_lines()
    if arguments.die_with_parent:
        die_with_parent()
    asyncio.run(run(arguments.proxy, arguments.control_port, arguments.token_file))


if __name__ == "__main__":
    main()
