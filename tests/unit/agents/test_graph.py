"""The graph: entered by stage, and no step waits."""

from datetime import UTC, datetime

import pytest

from agents.graph import build_graph, run
from agents.incident import TERMINAL, Agent, Stage
from agents.stages import ACTS, FOLLOWS
from agents.testing.builders import incident
from agents.testing.scenarios import pool_signal

NOW = datetime(2026, 5, 1, tzinfo=UTC)


def step_to(stage, agent, *, wake=False):
    """Return a step that always goes to one stage."""

    async def step(seen):
        moved = seen.move(stage, agent, "went on", NOW)
        return moved.evolve(wake_at=NOW) if wake else moved

    return step


def steps(**special):
    """Return steps that each go to the first stage that may follow."""

    async def first(seen):
        return seen.move(next(iter(FOLLOWS[seen.stage])), ACTS[seen.stage], "went on", NOW)

    return {agent: special.get(agent.name, first) for agent in Agent}


async def stages(graph, stage):
    """Return the stages that a run from one stage goes through."""
    return [after.stage async for after in run(graph, incident(pool_signal(), stage))]


async def test_the_graph_is_entered_by_stage_and_ends_where_somebody_else_is_next():
    """From observing to the pull request in one run; memory skips Brain."""
    assert await stages(build_graph(steps()), Stage.OBSERVING) == [
        Stage.RECALLING,
        Stage.DECIDING,
        Stage.ACTING,
        Stage.PROPOSING,
    ]


async def test_a_step_that_sets_a_wake_up_time_ends_the_run():
    """Waiting is a wake-up time and not a loop inside the graph."""
    graph = build_graph(steps(CURATOR=step_to(Stage.VERIFYING, Agent.CURATOR, wake=True)))
    assert await stages(graph, Stage.VERIFYING) == [Stage.VERIFYING]


@pytest.mark.parametrize("stage", sorted(set(Stage) - set(ACTS)))
async def test_nobody_acts_while_the_incident_waits_or_has_ended(stage):
    """Entering in such a stage runs no step."""
    assert await stages(build_graph(steps()), stage) == []


def test_every_agent_but_those_that_only_answer_has_a_node():
    """All eight agents act somewhere."""
    assert set(ACTS.values()) == set(Agent)


def test_every_stage_leads_to_an_end():
    """From any stage the usual ways lead to a terminal one, so that nothing hangs by design."""
    for start in Stage:
        reached, todo = set(), [start]
        while todo:
            stage = todo.pop()
            if stage not in reached:
                reached.add(stage)
                todo.extend(FOLLOWS.get(stage, {}))
        assert reached & TERMINAL
