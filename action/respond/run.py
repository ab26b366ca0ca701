"""One run of `mode: respond`: the event into the inbox, the worker's lanes over SQLite, what is due, and the report."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator
from pathlib import Path

from pydantic import SecretStr

from action.errors import InputError
from action.files import add_summary, set_outputs
from action.respond.event import read_delivery
from action.respond.loop import LOOKED_AT, work_off
from action.respond.outcome import Outcome, outcome_of, summary
from action.respond.telemetry import InEnvironment, NoTelemetry, Replay, files_of
from action.settings import Context
from agents.ports import Telemetry
from bot.app.github import open_github_with_token
from bot.app.memory import open_incident_memory
from bot.app.scout import open_scout_at
from bot.app.truth import memory_queue, open_store
from bot.app.work import Adapters, Work, build_work
from bot.db.rows import Delivery
from bot.db.store import Store
from bot.queue.memory import MemoryQueue
from bot.settings import Settings, load_settings

WORKFLOW_LOGIN = "github-actions[bot]"
"""Under this name appears what is written with a workflow's GITHUB_TOKEN."""
SECRET_FILE = "marker-secret"  # noqa: S105 - the name of a file
OWNER = "action"
OK, FAILED = 0, 1


def run_respond(context: Context) -> int:
    """Handle the event, write outputs and summary, and return the exit code of the step.

    Raises:
        ActionError: an input or the event cannot be used.
        SreSpaceError: the state cannot be used.
    """
    delivery = read_delivery(context.runner.event_name, context.runner.event_path)
    settings = settings_of(context)
    outcome = asyncio.run(respond(context, settings, delivery))
    set_outputs(context.runner.output, outcome.outputs)
    add_summary(context.runner.step_summary, summary(outcome, context.runner.event_name))
    return OK if outcome.handled else FAILED


def settings_of(context: Context) -> Settings:
    """Return the bot's settings for this run. Nothing is read from a `.env` that the repository may hold."""
    state = (context.inputs.state or context.folder / "state").resolve()
    state.mkdir(parents=True, exist_ok=True)
    return load_settings(
        _env_file=None,
        state_dir=state,
        database_url=SecretStr(f"sqlite+aiosqlite:///{state / 'sre-space.db'}"),
        chroma_path=state / "memory",
        repository=context.runner.repository,
        incident_label=context.inputs.label,
        github_api_url=context.runner.api_url,
        github_webhook_secret=_marker_secret(context.inputs.marker_secret, state),
    )


def _marker_secret(given: SecretStr, state: Path) -> SecretStr:
    """Return the secret that signs hidden marks: the one given, else one that is kept with the state."""
    if given.get_secret_value():
        return given
    file = state / SECRET_FILE
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(32), encoding="ascii")
    return SecretStr(file.read_text(encoding="ascii"))


async def respond(context: Context, settings: Settings, delivery: Delivery | None) -> Outcome:
    """Handle a delivery, or only what is due, and return what came of it."""
    given = context.inputs
    async with (
        open_github_with_token(settings, given.token, given.bot_login or WORKFLOW_LOGIN) as forge,
        open_store(settings) as store,
        open_incident_memory(settings) as memory,
        _telemetry(context) as telemetry,
    ):
        queue = memory_queue()
        adapters = Adapters(store=store, queue=queue, forge=forge, memory=memory, telemetry=telemetry)
        return await handle(build_work(settings, adapters, OWNER), queue, delivery, max_wait_s=given.max_wait_s)


async def handle(work: Work, queue: MemoryQueue, delivery: Delivery | None, *, max_wait_s: float) -> Outcome:
    """Put a delivery into the inbox, work off what is due, and return what changed."""
    store = work.adapters.store
    before = {incident.id: incident for incident in await store.list_incidents(LOOKED_AT)}
    row_id = None if delivery is None else await _put(store, queue, delivery)
    await work_off(work, queue, max_wait_s=max_wait_s)
    row = None if row_id is None else await store.inbox.get(row_id)
    return outcome_of(row, before, await store.list_incidents(LOOKED_AT))


async def _put(store: Store, queue: MemoryQueue, delivery: Delivery) -> int | None:
    """Store the delivery and ask for its job; one that is known was handled by an earlier run of this workflow."""
    row_id = await store.inbox.put(delivery)
    if row_id is not None:
        await queue.enqueue("process_delivery", row_id)
    return row_id


@contextlib.asynccontextmanager
async def _telemetry(context: Context) -> AsyncGenerator[Telemetry]:
    """Yield a running Scout, else recorded telemetry, else what says that there is none.

    Raises:
        InputError: both are given, and they may contradict each other.
    """
    given = context.inputs
    if given.telemetry and given.scout_url:
        raise InputError("scout-url", "and `telemetry` exclude each other")
    if given.scout_url:
        async with open_scout_at(given.scout_url, given.scout_token.get_secret_value() or None) as client:
            yield InEnvironment(client, given.environment)
    elif given.telemetry:
        replay = Replay(files_of(given.telemetry, context.runner.workspace))
        replay.read()
        yield InEnvironment(replay, given.environment)
    else:
        yield NoTelemetry()
