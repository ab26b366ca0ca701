"""What may happen to a plan between its proposal and its merge; each event returns how an answer tells of it."""

from datetime import timedelta

from agents.config import CONFIG_PATH
from agents.incident import Incident
from agents.plan import Plan
from agents.testing.builders import ONSET
from agents.testing.shop import CONFIG, Shop

OWN = "nobody approves their own change."


def crew(config: str = CONFIG) -> Shop:
    """Return the shop with people: will writes, mia maintains, adam is the admin, tom triages, nora may nothing.

    Everybody else reads, and dana wrote the code.
    """
    shop = Shop(config)
    shop.github.clock = ONSET
    shop.github.grant("will", "write")
    shop.github.grant("mia", "maintain")
    shop.github.grant("adam", "admin")
    shop.github.grant("tom", "triage")
    shop.github.grant("nora", "none")
    return shop


def _plan(waiting: Incident) -> Plan:
    if waiting.plan is None:
        raise ValueError(waiting.id)
    return waiting.plan


def nothing(_shop: Shop, _: Incident) -> str:
    """Nothing happens."""
    return ""


def unrelated(shop: Shop, _: Incident) -> str:
    """Somebody changes what the plan does not touch."""
    shop.write_docs()
    return ""


def nearly_expire(shop: Shop, waiting: Incident) -> str:
    """All but one second of the plan's life passes."""
    shop.github.clock = _plan(waiting).expires_at - timedelta(seconds=1)
    return ""


def open_as_will(shop: Shop, _: Incident) -> str:
    """Will opened the pull request, and GitHub writes the login in capitals."""
    shop.github.pulls[1].opener = "WILL"
    return f"will opened #1, and {OWN}"


def push_as_will(shop: Shop, _: Incident) -> str:
    """Will has pushed to the branch, which is back at the plan's commit since."""
    shop.github.pulls[1].pushers.append("Will")
    return f"will has commits on #1, and {OWN}"


def push(shop: Shop, waiting: Incident) -> str:
    """Somebody pushes to the branch of the plan."""
    shop.github.pushes(_plan(waiting).branch, {"services/quote/app.py": "evil()\n"}, login="mallory")
    return f"#1 holds commits that are not part of plan `{_plan(waiting).id}`."


def other_branch(shop: Shop, waiting: Incident) -> str:
    """The pull request comes from another branch with the same commit."""
    shop.github.git.branches["other"] = shop.github.git.branches[_plan(waiting).branch]
    shop.github.pulls[1].head_ref = "other"
    return f"#1 holds commits that are not part of plan `{_plan(waiting).id}`."


def close(shop: Shop, _: Incident) -> str:
    """Somebody closes the pull request."""
    shop.github.pulls[1].open = False
    return "#1 is closed."


def merge(shop: Shop, _: Incident) -> str:
    """Somebody merges the pull request."""
    shop.github.pulls[1].open = False
    shop.github.pulls[1].merge_sha = shop.head
    return "#1 is merged already."


def delete(shop: Shop, _: Incident) -> str:
    """The pull request is gone."""
    shop.github.pulls.clear()
    return "#1 does not exist any more."


def expire(shop: Shop, waiting: Incident) -> str:
    """The second comes with which the plan ends."""
    shop.github.clock = _plan(waiting).expires_at
    return f"it expired at {_plan(waiting).expires_at:%Y-%m-%d %H:%M} UTC."


def change_config(shop: Shop, _: Incident) -> str:
    """Somebody changes the policy of the repository."""
    shop.commit("Loosen", {CONFIG_PATH: CONFIG.replace("maximum: 20", "maximum: 200")})
    return "the repository's configuration changed since it was made."


def break_config(shop: Shop, _: Incident) -> str:
    """Somebody breaks the configuration."""
    shop.commit("Oops", {CONFIG_PATH: "version: ["})
    return "the repository's configuration cannot be used any more."


def remove_config(shop: Shop, _: Incident) -> str:
    """Somebody removes the configuration."""
    shop.commit("Remove", {CONFIG_PATH: None})
    return "the repository's configuration cannot be used any more."


def change_file(shop: Shop, _: Incident) -> str:
    """Somebody changes the file that the plan edits."""
    shop.set_pool(3)
    return "services/quote/settings.yaml changed on main since it was made."


def retarget(shop: Shop, _: Incident) -> str:
    """Somebody lets the pull request go elsewhere."""
    shop.github.git.branches["release"] = shop.head
    shop.github.pulls[1].base_ref = "release"
    return "#1 now goes into release, not main."


def rewrite(shop: Shop, _: Incident) -> str:
    """Somebody gives the default branch another history with the same files."""
    tree = dict(shop.github.git.trees[shop.head])
    shop.github.git.commit(tree, message="Squashed", branch="main", parents=())
    return "the history of main was rewritten since it was made."


def rename_default(shop: Shop, _: Incident) -> str:
    """Somebody makes another branch the default."""
    shop.github.git.branches["trunk"] = shop.head
    shop.github.default_branch = "trunk"
    return "the default branch is now trunk."


HARMLESS = (nothing, unrelated, nearly_expire)
"""The plan holds, and so do approvals of it."""
STOPPING = (push, other_branch, close, delete)
"""The plan cannot be approved or merged as it is, and no new one takes its place: people decide."""
REVOKING = (
    expire,
    change_config,
    break_config,
    remove_config,
    change_file,
    retarget,
    rewrite,
    rename_default,
)
"""A new plan must take the place of this one."""
