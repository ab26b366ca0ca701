"""Which service an issue or a comment is about."""

import re
from collections.abc import Iterable

from agents.config import load
from agents.errors import ConfigError
from agents.incident import Agent, Incident, Stage
from agents.writes import PostComment, Topic
from bot.comments import LISTED_BY
from bot.handlers.deps import Deps


def named_service(services: Iterable[str], *texts: str) -> str | None:
    """Return the service that is named first, as a whole word and in any case; earlier texts go first."""
    names = {name.lower(): name for name in services}
    longer_first = "|".join(re.escape(name) for name in sorted(names, reverse=True))  # "quote.v2" before "quote"
    pattern = re.compile(rf"(?<![\w-])({longer_first})(?![\w-])", re.IGNORECASE)
    found = next((match for text in texts if (match := pattern.search(text))), None)
    return names.get(found[1].lower()) if found else None


async def settle_service(incident: Incident, login: str, texts: tuple[str, ...], deps: Deps) -> Incident:
    """Return the incident with the service that `texts` name; where they name none it waits, and is asked once."""
    try:
        config, _ = await load(deps.forge, incident.repo)
    except ConfigError as error:
        problem = PostComment(key="config_problem", topic=Topic.CONFIG_PROBLEM, note=LISTED_BY.join(error.problems))
        return _waits(incident, "The repository's configuration cannot be used.", problem, deps)
    service = named_service(config.services, *texts)
    if service is None:
        question = PostComment(key="ask_service", topic=Topic.ASK_SERVICE, note=LISTED_BY.join(config.services))
        return _waits(incident, "No known service is named.", question, deps)
    note = f"{login} reported a problem with {service}."
    return incident.move(Stage.OBSERVING, Agent.HUMAN, note, deps.now(), service=service)


def _waits(incident: Incident, note: str, comment: PostComment, deps: Deps) -> Incident:
    if incident.timeline and incident.timeline[-1].note == note:
        return incident
    return incident.move(Stage.AWAITING_INFO, Agent.HUMAN, note, deps.now()).send(comment)
