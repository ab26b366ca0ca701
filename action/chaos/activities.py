"""What experiments call: Chaos Toolkit imports these functions by name, in the process of the experiment."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any

import httpx
import structlog

from action.chaos import experiment
from action.chaos.follow import Follower, Terms
from action.chaos.hub import Hub
from action.chaos.injector import Injector
from action.chaos.milestones import Milestones
from action.errors import ActionError, InjectorError, InputError
from action.settings import Context, load_context

REQUEST_TIMEOUT_S = 5.0
AT_ONCE = 4

log = structlog.get_logger()


def open_incidents() -> int:
    """Return how many issues with the incident label are open. Raises HubError."""
    context = load_context()
    hub = _hub(context)
    try:
        return len(hub.issues(context.inputs.label, "open"))
    finally:
        hub.close()


def success_ratio(requests: int) -> float:
    """Return the share of `requests` requests to the target that were answered with success (2xx).

    Raises:
        InputError: no target is given; without one nothing is known of the customers.
    """
    url = load_context().inputs.target_url
    if not url:
        raise InputError("target-url", "is needed by this experiment: its steady state is that customers are served")
    with httpx.Client(timeout=REQUEST_TIMEOUT_S) as client, ThreadPoolExecutor(AT_ONCE) as pool:
        return sum(pool.map(partial(_is_served, client), [url] * requests)) / requests


def _is_served(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).is_success
    except httpx.HTTPError:
        return False


def start_fault(name: str) -> dict[str, Any]:
    """Put a fault in place, with the time to live of this run, and return its lease. Raises InjectorError."""
    context = load_context()
    armed_at = datetime.now(UTC)
    _note(context)(Milestones(armed_at=armed_at))
    lease = _injected(context, lambda injector: injector.start(name, context.inputs.lease_s))
    if lease.onset is None:
        raise InjectorError(f"the fault injector does not say since when {name} is in force")
    _note(context)(Milestones(armed_at=armed_at, onset=lease.onset, expires_at=lease.expires_at))
    return lease.model_dump(mode="json")


def stop_fault(name: str) -> bool:
    """End a fault and return True; False when this run never asked for it, so that another run's is left alone.

    Raises:
        InjectorError: the injector refused, or did not answer.
    """
    context = load_context()
    if not context.progress.exists():
        return False
    _injected(context, lambda injector: injector.stop(name))
    return True


def follow_incident() -> dict[str, Any]:
    """Wait for SRE-Space and return what was seen.

    Raises:
        ActionError: no fault is in place, so there is nothing to wait for.
    """
    context = load_context()
    started = Milestones.model_validate_json(context.progress.read_bytes())
    if started.onset is None or started.armed_at is None:
        raise ActionError("the fault was not put in place, so there is nothing to wait for")
    spec = experiment.load(experiment.find(context.inputs.experiment, context.runner.workspace)).spec
    hub = _hub(context)
    follower = Follower(hub, _terms(context, spec), lambda: datetime.now(UTC), time.sleep, _note(context))
    try:
        return follower.follow(started, started.armed_at).model_dump(mode="json")
    finally:
        hub.close()


def _terms(context: Context, spec: experiment.Extension) -> Terms:
    given = context.inputs
    return Terms(
        until=given.until,
        label=given.label,
        bot_login=given.bot_login,
        blast_radius=spec.blast_radius,
        detection_timeout_s=given.detection_timeout_s,
        max_duration_s=given.max_duration_s,
        poll_s=given.poll_s,
    )


def _hub(context: Context) -> Hub:
    return Hub(context.runner.api_url, context.runner.repository, context.inputs.token)


def _injected(context: Context, act: Callable[[Injector], Any]) -> Any:
    injector = Injector(context.inputs.injector_url, context.inputs.injector_token)
    try:
        return act(injector)
    finally:
        injector.close()


def _note(context: Context) -> Callable[[Milestones], None]:
    """Return what writes down how far the run has come, so that it is known even if this process is killed."""

    def note(seen: Milestones) -> None:
        draft = context.progress.with_suffix(".tmp")
        draft.write_text(seen.model_dump_json(indent=2), encoding="utf-8")
        draft.replace(context.progress)

    return note
