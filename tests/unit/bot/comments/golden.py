"""The texts that are kept word for word; `python -m tests.unit.bot.comments.golden` writes them anew, for review."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr

from agents.incident import Stage
from agents.writes import PostComment, Topic
from bot.comments import LISTED_BY, REOPENED, Texts
from bot.markers import Markers
from tests.unit.bot.comments import incidents

FOLDER = Path(__file__).parent / "golden"
TEXTS = Texts(Markers(SecretStr("secret")), dashboard_url="https://sre.example")


def _notice(topic: Topic, note: str = "", stage: Stage = Stage.ESCALATED) -> str:
    found = incidents.escalated() if topic is Topic.ESCALATION else incidents.resolved().evolve(stage=stage)
    return TEXTS.notice(found, PostComment(key="k", topic=topic, note=note))


def texts() -> Mapping[str, str]:
    """Return every kept text by the name of its file."""
    waiting, issue, wide = incidents.waiting(), TEXTS.issue(incidents.waiting()), TEXTS.issue(incidents.wide())
    services = LISTED_BY.join(["gateway", "quote", "pricing"])
    problems = LISTED_BY.join([".github/sre-space.yml, line 3: unknown key `servces`; did you mean `services`?"])
    return {
        "issue": f"{issue.title}\n\n{issue.body}",
        "issue_wide": f"{wide.title}\n\n{wide.body}",
        "sticky_waiting": TEXTS.sticky(waiting),
        "sticky_high_risk": TEXTS.sticky(incidents.high_risk()),
        "sticky_verifying": TEXTS.sticky(incidents.verifying()),
        "sticky_resolved": TEXTS.sticky(incidents.resolved()),
        "sticky_escalated": TEXTS.sticky(incidents.escalated()),
        "sticky_dry_run": TEXTS.sticky(incidents.dry_run()),
        "commit_message": TEXTS.commit_message(waiting, incidents.PLAN),
        "commit_message_revert": TEXTS.commit_message(waiting, incidents.UNDO),
        "pull_request": TEXTS.pull_request(incidents.proposing(), incidents.PLAN, revert=False),
        "pull_request_revert": TEXTS.pull_request(incidents.escalated(), incidents.UNDO, revert=True),
        "post_mortem": _notice(Topic.POST_MORTEM),
        "post_mortem_revert": TEXTS.notice(incidents.resolved_revert(), PostComment(key="k", topic=Topic.POST_MORTEM)),
        "escalation": _notice(Topic.ESCALATION, "Not recovered 900 s after the fix was deployed."),
        "dry_run": TEXTS.notice(incidents.dry_run(), PostComment(key="k", topic=Topic.DRY_RUN)),
        "ask_service": _notice(Topic.ASK_SERVICE, services),
        "config_problem": _notice(Topic.CONFIG_PROBLEM, problems),
        "config_problem_waiting": _notice(Topic.CONFIG_PROBLEM, problems, Stage.AWAITING_INFO),
        "flapping": _notice(Topic.FLAPPING, "quote GET /quote: 30 % of requests failed"),
        "reopened": REOPENED,
    }


def main() -> None:
    """Write all texts into the folder."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in texts().items():
        (FOLDER / f"{name}.md").write_text(f"{text}\n")


if __name__ == "__main__":
    main()
