"""The whole bot does the same over the fake GitHub and over the sandbox, so that the fake cannot drift."""

import re
import types
from collections import defaultdict
from collections.abc import Iterator
from typing import Any, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from bot.events import ACTIONS, IssueCommentEvent, IssuesEvent, PullRequestEvent, PullRequestReviewEvent
from tests.contract.bot_plays import WORLDS, Plays, Record, Sent
from tests.contract.bot_scenarios import SCENES

READ = {
    "issues": IssuesEvent,
    "issue_comment": IssueCommentEvent,
    "pull_request": PullRequestEvent,
    "pull_request_review": PullRequestReviewEvent,
}
KEPT = (".number", ".title", ".state", ".type", ".merged", "_at", "labels[].name", "label.name")
"""The ends of the paths whose values do not depend on the world: no ids, names of Apps or SHAs."""
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.fixture(scope="module")
def plays(tmp_path_factory: pytest.TempPathFactory) -> Plays:
    """The records of what was played."""
    return Plays(tmp_path_factory.mktemp("plays"))


@pytest.mark.parametrize("kind", WORLDS)
@pytest.mark.parametrize("scene", SCENES)
async def test_a_scenario_ends_as_it_has_to(plays: Plays, scene: str, kind: str):
    """Its own assertions hold, in the fake world and in the sandbox."""
    assert (await plays.record(SCENES[scene], kind)).stages


async def both(plays: Plays, scene: str) -> tuple[Record, Record]:
    """Return the records of a scenario in the fake world and in the sandbox."""
    return await plays.record(SCENES[scene], "fake"), await plays.record(SCENES[scene], "sandbox")


@pytest.mark.parametrize("scene", SCENES)
async def test_people_see_the_same_in_both_worlds(plays: Plays, scene: str):
    """The incident goes through the same stages, and issue and comments have the same texts."""
    fake, sandbox = await both(plays, scene)

    assert fake.stages == sandbox.stages
    assert fake.shown == sandbox.shown
    assert fake.shown


def fields(kind: Any, value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield path and value of every field of a payload that the annotation `kind` reads."""
    yield path, value
    options = get_args(kind) if get_origin(kind) in {Union, types.UnionType} else (kind,)
    model = next((one for one in options if isinstance(one, type) and issubclass(one, BaseModel)), None)
    if get_origin(kind) is tuple:
        for item in value:
            yield from fields(get_args(kind)[0], item, f"{path}[]")
    elif model is not None and isinstance(value, dict):
        for name, field in model.model_fields.items():
            if name in value:
                yield from fields(field.annotation, value[name], f"{path}.{name}")


def kept(hook: Sent) -> list[tuple[str, Any]]:
    """Return what a webhook says that does not depend on the world."""
    return [(path, value) for path, value in fields(READ[hook.event], hook.payload, hook.name) if path.endswith(KEPT)]


def shape(value: Any) -> str:
    """Return the JSON type of a value; a string that is a time as GitHub writes it is a `moment`."""
    return "moment" if isinstance(value, str) and MOMENT.fullmatch(value) else type(value).__name__


@pytest.mark.parametrize("scene", SCENES)
async def test_the_same_webhooks_come_in_both_worlds(plays: Plays, scene: str):
    """They come in the same order, by the same kind of sender, and say the same of issue, fix, review and times."""
    fake, sandbox = await both(plays, scene)

    assert [hook.name for hook in fake.sent] == [hook.name for hook in sandbox.sent]
    assert [kept(hook) for hook in fake.sent] == [kept(hook) for hook in sandbox.sent]


@pytest.mark.parametrize("event", READ)
async def test_the_fake_sends_the_fields_that_are_read_as_the_sandbox_does(plays: Plays, event: str):
    """Each action that is read comes, with the same fields of the same JSON types, null included."""
    found: dict[str, dict[str, set[tuple[str, str]]]] = {kind: defaultdict(set) for kind in WORLDS}
    for scene in SCENES.values():
        for kind in WORLDS:
            for hook in (await plays.record(scene, kind)).sent:
                if hook.event == event:
                    read = fields(READ[event], hook.payload, event)
                    found[kind][hook.name].update((path, shape(value)) for path, value in read)

    assert found["fake"] == found["sandbox"]
    assert set(found["fake"]) >= {f"{event}.{action}" for action in ACTIONS[event]}
