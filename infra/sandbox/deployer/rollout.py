"""Brings the services to the revision of the branch, one after another, without a gap."""

import asyncio
import contextlib
import json
import shutil
import socket
from dataclasses import dataclass
from pathlib import Path

import structlog

from infra.sandbox.deployer.checkout import Checkout
from infra.sandbox.deployer.process import Launch, ServiceProcess
from infra.sandbox.deployer.topology import SERVICES, Service, is_touched
from infra.sandbox.errors import CommandError, DeployError
from infra.sandbox.serving import LOOPBACK, listen, port_of

FLAGS_FILE = "flags.json"


@dataclass(frozen=True)
class DeployOptions:
    """What the command line says."""

    clone_url: str
    branch: str
    data: Path
    otlp: str
    tax_url: str
    gateway_port: int
    poll_s: float
    environment: str


class Deployer:
    """Keeps one process of each service at the newest revision that starts."""

    def __init__(self, options: DeployOptions) -> None:
        self._options = options
        self._checkout = Checkout(options.clone_url, options.branch, options.data)
        self._log = structlog.get_logger()
        self._listeners: dict[str, socket.socket] = {}
        self._running: dict[str, ServiceProcess] = {}
        self._seen: str | None = None

    async def run(self, stopped: asyncio.Event) -> None:
        """Follows the branch until the event is set, then stops every service."""
        try:
            await self._prepare()
            while not stopped.is_set():
                await self._follow()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(stopped.wait(), self._options.poll_s)
        finally:
            await self._stop_all()

    async def _prepare(self) -> None:
        for folder in ("logs", "databases"):
            (self._options.data / folder).mkdir(parents=True, exist_ok=True)
        for service in SERVICES:
            port = self._options.gateway_port if service.name == "gateway" else 0
            self._listeners[service.name] = listen(port)
        await self._checkout.prepare()
        ports = {name: port_of(listener) for name, listener in self._listeners.items()}
        self._log.info("deployer_started", branch=self._options.branch, ports=ports)

    async def _follow(self) -> None:
        """Rolls out what is new; restarts what has died."""
        try:
            revision = await self._checkout.latest()
            if revision != self._seen:
                await self._roll_out(revision)
                self._seen = revision
            await self._revive()
        except CommandError as error:
            # The next poll tries again: a forge that is away for a moment changes nothing here.
            self._log.warning("branch_not_read", reason=str(error))

    async def _revive(self) -> None:
        for service in SERVICES:
            process = self._running.get(service.name)
            if process is not None and not process.running:
                self._log.warning("service_died", service=service.name, pid=process.pid)
                await self._replace(service, process.launch.revision)

    async def _roll_out(self, revision: str) -> None:
        folder = await self._checkout.files_of(revision)
        old = self._seen
        changed = (FLAGS_FILE,) if old is None else await self._checkout.changed_paths(old, revision)
        self._log.info("revision_found", revision=revision, previous=old, changed_files=len(changed))
        if FLAGS_FILE in changed and (folder / FLAGS_FILE).exists():
            shutil.copyfile(folder / FLAGS_FILE, self._options.data / FLAGS_FILE)
        missing = [service for service in SERVICES if service.name not in self._running]
        await asyncio.gather(*(self._replace(service, revision) for service in missing))
        for service in SERVICES:
            if service not in missing and await self._is_outdated(service, revision):
                await self._replace(service, revision)
        self._write_state(revision)
        await self._checkout.drop_all_but({revision} | {process.launch.revision for process in self._running.values()})

    async def _is_outdated(self, service: Service, revision: str) -> bool:
        running = self._running[service.name]
        changed = await self._checkout.changed_paths(running.launch.revision, revision)
        return is_touched(service, changed)

    async def _replace(self, service: Service, revision: str) -> None:
        """Starts the service at the revision, then drains the old process; keeps the old one on failure."""
        old = self._running.get(service.name)
        try:
            new = await ServiceProcess.start(await self._launch(service, revision), self._listener(service))
        except DeployError as error:
            self._log.error("deploy_failed", service=service.name, revision=revision, reason=error.reason)
            return
        self._running[service.name] = new
        self._write_state(revision)
        self._log.info("service_started", service=service.name, revision=revision, pid=new.pid)
        if old is not None:
            await old.stop()
            self._log.info("service_stopped", service=service.name, revision=old.launch.revision, pid=old.pid)

    async def _launch(self, service: Service, revision: str) -> Launch:
        options = self._options
        version = await self._checkout.version_of(revision)
        urls = {name: f"http://{LOOPBACK}:{port_of(listener)}" for name, listener in self._listeners.items()}
        urls["tax"] = options.tax_url
        arguments = [
            "--otlp-endpoint", options.otlp,
            "--environment", options.environment,
            "--version", version,
            "--revision", revision,
            "--data", str(options.data / "databases"),
            "--flags", str(options.data / FLAGS_FILE),
        ]  # fmt: skip
        for callee in service.calls:
            arguments += ["--url", f"{callee}={urls[callee]}"]
        return Launch(
            service=service.name,
            revision=revision,
            version=version,
            folder=await self._checkout.files_of(revision),
            log_path=options.data / "logs" / f"{service.name}.log",
            arguments=tuple(arguments),
        )

    def _listener(self, service: Service) -> socket.socket:
        return self._listeners[service.name]

    def _write_state(self, revision: str) -> None:
        services = {
            name: {
                "revision": process.launch.revision,
                "version": process.launch.version,
                "pid": process.pid,
                "port": port_of(self._listeners[name]),
            }
            for name, process in self._running.items()
        }
        target = self._options.data / "deployed.json"
        draft = target.with_suffix(".tmp")
        draft.write_text(json.dumps({"revision": revision, "services": services}, indent=2), encoding="utf-8")
        draft.replace(target)

    async def _stop_all(self) -> None:
        # Callers first, so that none is left calling a service that is gone.
        for service in reversed(SERVICES):
            process = self._running.pop(service.name, None)
            if process is not None:
                await process.stop()
        for listener in self._listeners.values():
            listener.close()
        self._log.info("deployer_stopped")
