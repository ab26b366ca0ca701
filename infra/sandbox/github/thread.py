"""The timeline of an issue as the page shows it: comments in full, everything else in one line."""

from collections import Counter
from dataclasses import dataclass
from typing import Any

from infra.sandbox.github.domain import timeline
from infra.sandbox.github.records.work import Issue, Label
from infra.sandbox.github.site import Site

FACES = {
    "+1": "👍",
    "-1": "👎",
    "laugh": "😄",
    "confused": "😕",
    "heart": "❤️",
    "hooray": "🎉",
    "rocket": "🚀",
    "eyes": "👀",
}


@dataclass(frozen=True)
class Headline:
    """An issue or pull request in a list."""

    number: int
    title: str
    state: str
    author: str
    created_at: str
    labels: list[Label]
    comments: int
    link: str


@dataclass(frozen=True)
class Item:
    """One entry of the timeline; `body` is set for comments and reviews."""

    anchor: str
    author: str
    badge: str
    when: str
    line: str
    body: str | None = None
    edited: bool = False
    reactions: str = ""


def headline(site: Site, issue: Issue) -> Headline:
    """The issue in short."""
    state = issue.state
    if issue.pull:
        state = "merged" if issue.pull.merged_at else "draft" if issue.pull.draft else state
    kind = "pull" if issue.pull else "issues"
    return Headline(
        number=issue.number,
        title=issue.title,
        state=state,
        author=site.store.users.get(issue.user_id).login,
        created_at=issue.created_at,
        labels=[label for label_id in issue.labels if (label := site.store.labels.find(label_id))],
        comments=len(site.store.comments.where(lambda row: row.number == issue.number)),
        link=f"{site.repo_html.removeprefix(site.base_url)}/{kind}/{issue.number}",
    )


async def items(site: Site, issue: Issue) -> list[Item]:
    """The description, and then everything that happened."""
    views = await timeline.of_issue(site, issue)
    return [_description(site, issue), *(_item(site, view) for view in views)]


def _badge(site: Site, login: str) -> str:
    account = site.store.user(login)
    if account is None:
        return ""
    return "bot" if account.type == "Bot" else account.role.value


def _reactions(site: Site, subject: str) -> str:
    rows = site.store.reactions.where(lambda row: row.subject == subject)
    counts = Counter(FACES[row.content] for row in rows)
    return " ".join(f"{face} {count}" for face, count in counts.items())


def _description(site: Site, issue: Issue) -> Item:
    author = site.store.users.get(issue.user_id).login
    return Item(
        anchor=f"issue-{issue.id}",
        author=author,
        badge=_badge(site, author),
        when=issue.created_at,
        line="opened this",
        body=issue.body or "*No description.*",
        reactions=_reactions(site, f"issue:{issue.number}"),
    )


def _item(site: Site, view: dict[str, Any]) -> Item:
    event = str(view["event"])
    if event == "committed":
        first = str(view["message"]).split("\n")[0]
        mark = " (verified)" if view["verification"]["verified"] else ""
        author = str(view["author"]["name"])
        return Item(view["sha"], author, "", view["committer"]["date"], f"committed {view['sha'][:7]} {first}{mark}")
    person = view.get("actor") or view.get("user") or {"login": "ghost"}
    login = str(person["login"])
    badge = _badge(site, login)
    if event == "commented":
        return Item(
            anchor=f"issuecomment-{view['id']}",
            author=login,
            badge=badge,
            when=view["created_at"],
            line="commented",
            body=view["body"],
            edited=view["updated_at"] != view["created_at"],
            reactions=_reactions(site, f"comment:{view['id']}"),
        )
    if event == "reviewed":
        line = f"reviewed {view['commit_id'][:7]}: {view['state'].replace('_', ' ')}"
        anchor = f"pullrequestreview-{view['id']}"
        return Item(anchor, login, badge, view["submitted_at"], line, view["body"] or None)
    return Item(f"event-{view['id']}", login, badge, view["created_at"], _line(event, view))


def _line(event: str, view: dict[str, Any]) -> str:
    line = event.replace("_", " ")
    match event:
        case "labeled":
            line = f"added the label {view['label']['name']}"
        case "unlabeled":
            line = f"removed the label {view['label']['name']}"
        case "renamed":
            line = f"changed the title from “{view['rename']['from']}” to “{view['rename']['to']}”"
        case "closed":
            reason = view.get("state_reason")
            line = "closed this" + (f" as {reason.replace('_', ' ')}" if reason else "")
        case "merged":
            line = f"merged this as {view['commit_id'][:7]}"
        case "review_requested":
            line = f"asked {view['requested_reviewer']['login']} for a review"
        case _:
            pass
    return line
