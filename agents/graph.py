"""The agent graph: which agent acts in which stage, as a LangGraph that is entered by stage."""

from collections.abc import AsyncIterator, Mapping
from typing import TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agents.incident import Agent, Incident
from agents.ports import Step
from agents.stages import ACTS

STEPS_AT_MOST = 50


class State(TypedDict):
    """The graph's only channel: the Incident is the state."""

    incident: Incident


Graph = CompiledStateGraph[State, None, State, State]


def _next(state: State) -> str:
    """Return the agent whose turn it is after a step: none while the incident waits for a time or for somebody."""
    incident = state["incident"]
    return END if incident.wake_at is not None else ACTS.get(incident.stage, END)


def _enter(state: State) -> str:
    """Return the agent whose turn it is when the graph is entered: a wake-up time has passed by then."""
    return ACTS.get(state["incident"].stage, END)


def build_graph(steps: Mapping[Agent, Step]) -> Graph:
    """Compile the graph of `steps`, one per agent.

    Raises:
        KeyError: an agent has no step.
    """
    builder = StateGraph(State)
    targets = [*sorted(set(ACTS.values())), END]
    for agent in sorted(set(ACTS.values())):
        builder.add_node(agent, _node(steps[agent]))
        builder.add_conditional_edges(agent, _next, targets)
    builder.add_conditional_edges(START, _enter, targets)
    return builder.compile()


def _node(step: Step):  # noqa: ANN202 - LangGraph's node type is generic over the state it infers from this
    async def node(state: State) -> State:
        return {"incident": await step(state["incident"])}

    return node


async def run(graph: Graph, incident: Incident) -> AsyncIterator[Incident]:
    """Yield the Incident after every step, until it waits or has ended."""
    bounded = graph.with_config(recursion_limit=STEPS_AT_MOST)
    async for update in bounded.astream({"incident": incident}, stream_mode="updates"):
        for state in update.values():
            yield state["incident"]
