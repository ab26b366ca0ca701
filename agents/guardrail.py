"""Guardrail's step: pure policy over the incident and the repository's configuration, as a tree of reasons."""

from datetime import datetime

from agents.config import Autonomy, RepoConfig, load
from agents.errors import ConfigError
from agents.incident import Agent, Incident, Stage
from agents.markdown import plain
from agents.plan import Decision, Outcome, RevertCommit
from agents.policy import RULES, Facts, allow, autonomy, deny, risk
from agents.ports import Commit, ForgeReader, Now, Step
from agents.results import escalate


def decide(
    incident: Incident, config: RepoConfig | None, now: datetime, commit: Commit | None = None, *, problem: str = ""
) -> Decision:
    """Return the decision about the incident's remedy, with the decision of every rule below it.

    `commit` is the one that a revert would undo. `problem` says why there is no `config`. One DENY denies all; no
    remedy is carried out without a person, so the best outcome is REQUIRE_APPROVAL. The rules that can be asked are
    all asked: people see every reason at once.
    """
    if config is None:
        why = problem or "The repository has no configuration, so nothing may be changed."
        return _denied([deny("configuration", why)])
    rules = [allow("configuration", "The repository's configuration is valid."), autonomy(config)]
    if incident.remedy is None:
        return _denied([*rules, deny("remedy", "No remedy is known that SRE-Space could carry out.")])
    service = config.service(incident.remedy.service)
    if service is None:
        name = plain(incident.remedy.service)
        return _denied([*rules, deny("service", f"The configuration does not name the service {name}.")])
    facts = Facts(incident, incident.remedy, config, service, commit, now)
    rules += [rule(facts) for rule in RULES]
    if any(rule.outcome is Outcome.DENY for rule in rules):
        return _denied(rules)
    return _needs_approval(facts, rules)


def _denied(rules: list[Decision]) -> Decision:
    reasons = [rule.reason for rule in rules if rule.outcome is Outcome.DENY]
    return Decision(rule="policy", outcome=Outcome.DENY, reason=" ".join(reasons), children=tuple(rules))


def _needs_approval(facts: Facts, rules: list[Decision]) -> Decision:
    level, why = risk(facts)
    rule = facts.config.approvals.rule(level)
    who = f"{rule.count} {'person' if rule.count == 1 else 'people'} with {rule.permission} permission"
    must = "would have to" if facts.config.autonomy is Autonomy.DRY_RUN else "must"
    decision = Decision(
        rule="approvals",
        outcome=Outcome.REQUIRE_APPROVAL,
        reason=f"The risk is {level}, because {why}: {who} {must} approve.",
        approvals_needed=rule.count,
        permission=rule.permission,
    )
    return decision.model_copy(update={"rule": "policy", "children": (*rules, decision)})


async def reverted_commit(incident: Incident, forge: ForgeReader) -> Commit | None:
    """Return the commit that the remedy would revert, with its files."""
    if not isinstance(incident.remedy, RevertCommit):
        return None
    return await forge.commit(incident.repo, incident.remedy.sha)


def guardrail(forge: ForgeReader, now: Now) -> Step:
    """Build the step for `deciding`: on to Fixer, or to people with every reason.

    With autonomy `observe` people take over as well: the root-cause analysis is posted, and nothing is changed. With
    `dry-run` Fixer goes on, but only to say what it would do.
    """

    async def guard(incident: Incident) -> Incident:
        config, problem = None, ""
        try:
            config, _ = await load(forge, incident.repo)
        except ConfigError as error:
            problem = f"The configuration cannot be used: {'; '.join(error.problems)}."
        decision = decide(incident, config, now(), await reverted_commit(incident, forge), problem=problem)
        decided = incident.evolve(decision=decision)
        if decision.outcome is Outcome.DENY:
            return escalate(decided, Agent.GUARDRAIL, decision.reason, now())
        return decided.move(Stage.ACTING, Agent.GUARDRAIL, decision.reason, now())

    return guard
