"""How a service is told where it runs: its command line."""

import argparse
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Runtime:
    """The surroundings of one service process."""

    service: str
    port: int = 0
    listen_fd: int | None = None
    ready_fd: int | None = None
    otlp_endpoint: str | None = None
    environment: str = "development"
    version: str = "0.0.0"
    revision: str = "unknown"
    data: Path = Path()
    flags: Path | None = None
    urls: dict[str, str] = field(default_factory=dict)


def parse_runtime(service: str, argv: list[str] | None = None) -> Runtime:
    """Returns the runtime that the command line describes."""
    parser = argparse.ArgumentParser(prog=f"python -m services.{service}")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1")
    parser.add_argument("--listen-fd", type=int, help="listening socket inherited from a supervisor")
    parser.add_argument("--ready-fd", type=int, help="gets one newline when the service accepts requests")
    parser.add_argument("--otlp-endpoint", help="base URL of an OTLP/HTTP receiver; no telemetry without it")
    parser.add_argument("--environment", default="development", help="deployment.environment.name")
    parser.add_argument("--version", default="0.0.0", help="service.version")
    parser.add_argument("--revision", default="unknown", help="commit that runs: vcs.ref.head.revision")
    parser.add_argument("--data", type=Path, default=Path(), help="folder for files the service writes")
    parser.add_argument("--flags", type=Path, help="feature flags in flagd's format")
    parser.add_argument(
        "--url", type=_pair, action="append", default=[], metavar="NAME=URL", help="where a downstream is"
    )
    parsed = vars(parser.parse_args(argv))
    urls = dict(parsed.pop("url"))
    return Runtime(service=service, urls=urls, **parsed)


def _pair(text: str) -> tuple[str, str]:
    name, separator, url = text.partition("=")
    if not (name and separator and url):
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=URL")
    return name, url
