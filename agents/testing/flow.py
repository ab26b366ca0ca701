"""Incidents on their way in a fake world: diagnosed, proposed, with a person's command; writes carried out at once."""

from agents.commands import Command, Invocation, UnknownCommand, parse
from agents.diagnosis import CauseKind, Diagnosis, Verdict
from agents.fixer import fixer
from agents.guardrail import guardrail
from agents.human import answer
from agents.incident import Incident, Stage
from agents.plan import RaiseLimit, Remedy, RevertCommit
from agents.ports import CommentState
from agents.results import apply
from agents.testing.builders import incident
from agents.testing.forge import FakeForge
from agents.testing.shop import SETTINGS_FILE, Shop
from agents.writes import AnyWrite, ClosePull, MergePull, ProposeChange, Result

POOL_FIX = RaiseLimit(
    service="quote",
    knob="database pool",
    file=SETTINGS_FILE,
    path="database.pool_size",
    current=2,
    target=4,
    maximum=20,
)


def revert_of(shop: Shop, sha: str, service: str = "quote") -> RevertCommit:
    """Return the remedy that reverts a commit of the shop."""
    return RevertCommit(service=service, sha=sha, title=shop.github.git.commits[sha].message)


def diagnosis(
    verdict: Verdict = Verdict.LIKELY, kind: CauseKind = CauseKind.DB_POOL_EXHAUSTION, service: str = "quote"
) -> Diagnosis:
    """Return a diagnosis without claims."""
    return Diagnosis(
        verdict=verdict,
        service=service,
        operation=None,
        kind=kind,
        summary=f"{service} suffers from {kind}",
        claims=(),
        candidates=(),
    )


def deciding(remedy: Remedy | None = POOL_FIX, **changes: object) -> Incident:
    """Return a diagnosed incident at Guardrail."""
    return incident(None, Stage.DECIDING, **{"service": "quote", "diagnosis": diagnosis(), "remedy": remedy, **changes})


async def proposed(shop: Shop, remedy: Remedy = POOL_FIX, **changes: object) -> Incident:
    """Return an incident whose pull request is open and waits for approval."""
    now = shop.github.now
    decided = await guardrail(shop.forge, now)(deciding(remedy, **changes))
    return await carried_out(await fixer(shop.forge, now)(decided), shop)


async def carried_out(found: Incident, shop: Shop) -> Incident:
    """Return the incident after its writes were carried out in order, and no more of them are left.

    Proposing, merging and closing happen in the shop; other writes are taken as done, without a result.
    """
    while found.outgoing:
        writes = found.outgoing
        found = found.evolve(outgoing=())
        for write in writes:
            result = await _deliver(found, write, shop.forge)
            found = apply(found, write, result, shop.github.now()) if result else found
    return found


async def _deliver(found: Incident, write: AnyWrite, forge: FakeForge) -> Result | None:
    match write:
        case ProposeChange():
            plan = found.revert_plan if write.revert else found.plan
            if plan is None:
                raise ValueError(write.key)
            return await forge.propose_change(found.repo, plan, message=plan.title, body="")
        case MergePull():
            return await forge.merge(found.repo, write.number, head_sha=write.head_sha, title="Merge")
        case ClosePull():
            return await forge.close_pull(found.repo, write.number, branch=write.branch)
        case _:
            return None


def invoked(comment: CommentState, found: Incident) -> Invocation:
    """Return what the webhook of this comment tells.

    Raises:
        ValueError: it holds no command.
    """
    command: Command | UnknownCommand | None = parse(comment.body)
    if command is None:
        raise ValueError(comment.body)
    return Invocation(
        command=command,
        comment_id=comment.id,
        issue=found.issue or 0,
        login=comment.author,
        user_id=comment.author_id,
        author_type=comment.author_type,
        at=comment.created_at,
    )


async def says(shop: Shop, found: Incident, login: str, body: str) -> Incident:
    """Return the incident after `login` wrote `body` on its issue and Human answered; writes are not carried out."""
    comment = shop.github.says(found.issue or 0, login, body)
    return await answer(found, invoked(comment, found), shop.forge, shop.github.now)
