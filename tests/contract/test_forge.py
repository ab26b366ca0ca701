"""What holds for every Forge: the fake that agents are tested with, and GitHub through githubkit."""

import uuid

import pytest

from agents.errors import ForgeRefusedError
from agents.writes import Done, Reaction, Refused, Result
from tests.contract.forge_worlds import SETTINGS, World, plan_for


@pytest.fixture
def name() -> str:
    """A name that no other test of the same world uses."""
    return f"t{uuid.uuid4().hex[:10]}"


def done(result: Result) -> Done:
    """The result, which must be a success."""
    assert isinstance(result, Done), result
    return result


async def test_a_repository_is_found_by_its_name(world: World):
    """Its ids are those that webhooks bear; one that we cannot reach is refused, and never taken for another."""
    assert await world.forge.resolve("acme/shop") == world.repo
    for unknown in ("acme/none", "nobody/shop"):
        with pytest.raises(ForgeRefusedError) as refused:
            await world.forge.resolve(unknown)
        assert refused.value.status == 404


async def test_a_file_is_read_at_a_commit(world: World):
    """Content and blob SHA come together; what is no file is None."""
    branch, sha = await world.forge.default_branch(world.repo)

    found = await world.forge.file(world.repo, SETTINGS, sha)

    assert branch == "main"
    assert found is not None
    assert found.content.startswith("database:")
    assert len(found.blob_sha) == 40
    assert await world.forge.file(world.repo, "services/none.yaml", sha) is None
    assert await world.forge.file(world.repo, "services/quote", sha) is None


async def test_a_commit_shows_its_files(world: World, name: str):
    """A commit has its parents, its files and their patches; listings leave the files out."""
    _, before = await world.forge.default_branch(world.repo)
    sha = world.pushes("maria", name, {SETTINGS: f"database:\n  pool_size: 3 # {name}\n"})

    commit = await world.forge.commit(world.repo, sha)
    listed = await world.forge.commits(world.repo, ref=name, path="services", limit=1)

    assert commit is not None
    assert commit.parents == (before,)
    assert commit.author == "maria"
    assert [(file.path, file.status) for file in commit.files] == [(SETTINGS, "modified")]
    assert f"+  pool_size: 3 # {name}" in commit.files[0].patch
    assert [found.sha for found in listed] == [sha]
    assert listed[0].files == ()
    assert await world.forge.commit(world.repo, "0" * 40) is None


async def test_two_commits_are_compared(world: World, name: str):
    """Ahead, behind and identical, with the commits and files of the difference."""
    _, base = await world.forge.default_branch(world.repo)
    head = world.pushes("maria", name, {f"{name}.txt": "new\n"})

    ahead = await world.forge.compare(world.repo, base, head)
    behind = await world.forge.compare(world.repo, head, base)
    same = await world.forge.compare(world.repo, base, base)

    assert ahead is not None
    assert ahead.status == "ahead"
    assert [commit.sha for commit in ahead.commits] == [head]
    assert [file.path for file in ahead.files] == [f"{name}.txt"]
    assert behind is not None
    assert behind.status == "behind"
    assert same is not None
    assert same.status == "identical"
    assert await world.forge.compare(world.repo, base, "0" * 40) is None


async def test_permissions_are_those_of_this_moment(world: World):
    """A role that changes is seen at once, with GitHub's finer roles."""
    for permission in ("maintain", "triage", "write", "read"):
        world.grants("rita", permission)
        assert await world.forge.permission(world.repo, "rita") == permission


async def test_an_issue_is_opened_once(world: World, name: str):
    """Asking again with the same mark finds the issue, also after it was closed."""
    arguments = {"title": name, "body": "It fails.", "labels": ("incident",), "marker": f"<!-- {name} -->"}

    first = done(await world.forge.open_issue(world.repo, **arguments))
    await world.forge.close_issue(world.repo, first.number or 0, completed=True)
    again = done(await world.forge.open_issue(world.repo, **arguments))

    assert again.number == first.number
    assert first.url
    assert world.issues(name) == [first.number]
    issue = await world.forge.issue(world.repo, first.number or 0)
    assert issue is not None
    assert not issue.open
    assert issue.author_type == "Bot"
    assert issue.labels == ("incident",)
    assert "It fails." in issue.body
    assert f"<!-- {name} -->" in issue.body


async def test_a_comment_is_posted_once_and_edited_in_place(world: World, name: str):
    """It is found by its id, or by its mark where the id was lost."""
    issue = world.opens("rita", name, "Help")
    mark = f"<!-- {name} -->"

    first = done(await world.forge.upsert_comment(world.repo, issue, body="one", marker=mark, comment_id=None))
    lost = done(await world.forge.upsert_comment(world.repo, issue, body="two", marker=mark, comment_id=None))
    known = done(
        await world.forge.upsert_comment(world.repo, issue, body="three", marker=mark, comment_id=first.number)
    )

    assert lost.number == first.number == known.number
    assert len(world.comments(issue)) == 1
    assert world.comments(issue)[0].startswith("three")
    assert mark in world.comments(issue)[0]


async def test_a_mark_that_a_person_copied_is_not_ours(world: World, name: str):
    """Their comment stays as it is, and ours is posted."""
    issue = world.opens("rita", name, "Help")
    mark = f"<!-- {name} -->"
    world.says("rita", issue, f"copied {mark}")

    posted = done(await world.forge.upsert_comment(world.repo, issue, body="ours", marker=mark, comment_id=None))

    assert posted.number
    assert [body.split()[0] for body in world.comments(issue)] == ["copied", "ours"]


async def test_a_comment_is_read_as_it_is_now(world: World, name: str):
    """Who wrote it, what it says, and that it was edited."""
    issue = world.opens("rita", name, "Help")
    comment_id = world.says("maria", issue, "/approve")

    before = await world.forge.comment(world.repo, comment_id)

    assert before is not None
    assert (before.author, before.author_type, before.by_app) == ("maria", "User", False)
    assert before.body == "/approve"
    assert before.created_at == before.updated_at
    assert await world.forge.comment(world.repo, 999_999_999) is None


async def test_a_reaction_is_given_once(world: World, name: str):
    """Reacting again changes nothing; another reaction is added."""
    comment_id = world.says("maria", world.opens("rita", name, "Help"), "/help")

    for reaction in (Reaction.SEEN, Reaction.SEEN, Reaction.DONE):
        done(await world.forge.react(world.repo, comment_id, reaction))

    assert sorted(world.reactions(comment_id)) == ["eyes", "rocket"]


async def test_labels_come_and_go(world: World, name: str):
    """A label that is not there is removed without complaint."""
    issue = world.opens("rita", name, "Help")

    done(await world.forge.label_issue(world.repo, issue, add=("resolved", "incident"), remove=()))
    done(await world.forge.label_issue(world.repo, issue, add=(), remove=("incident", "never set")))

    found = await world.forge.issue(world.repo, issue)
    assert found is not None
    assert found.labels == ("resolved",)


async def test_a_change_is_proposed_once(world: World, name: str):
    """One branch, one commit that changes just the edited file, one pull request, however often it is asked for."""
    plan = await plan_for(world, name, f"database:\n  pool_size: 4 # {name}\n")

    first = done(await world.forge.propose_change(world.repo, plan, message=f"{plan.title}\n\nWhy.", body="Text"))
    again = done(await world.forge.propose_change(world.repo, plan, message=f"{plan.title}\n\nWhy.", body="Text"))

    assert (again.number, again.sha) == (first.number, first.sha)
    pull = await world.forge.pull(world.repo, first.number or 0)
    assert pull is not None
    assert pull.open
    assert (pull.head_ref, pull.base_ref, pull.head_sha) == (plan.branch, "main", first.sha)
    assert pull.pushers[0] == pull.opener
    assert pull.opener.endswith("[bot]")
    commit = await world.forge.commit(world.repo, pull.head_sha)
    assert commit is not None
    assert commit.parents == (plan.base_sha,)
    assert [file.path for file in commit.files] == [SETTINGS]
    assert commit.message.startswith(plan.title)


async def test_a_push_by_a_person_is_seen(world: World, name: str):
    """The head moves, and the person is among those who pushed."""
    plan = await plan_for(world, name, f"database:\n  pool_size: 4 # {name}\n")
    made = done(await world.forge.propose_change(world.repo, plan, message=plan.title, body=""))

    head = world.pushes("maria", plan.branch, {f"{name}.txt": "more\n"})

    pull = await world.forge.pull(world.repo, made.number or 0)
    assert pull is not None
    assert pull.head_sha == head
    assert "maria" in pull.pushers
    assert isinstance(await world.forge.merge(world.repo, pull.number, head_sha=made.sha or "", title="x"), Refused)


async def test_a_merge_happens_once_at_the_head_that_was_approved(world: World, name: str):
    """The merge commit is on the default branch; asking again names the same commit."""
    plan = await plan_for(world, name, f"database:\n  pool_size: 5 # {name}\n")
    made = done(await world.forge.propose_change(world.repo, plan, message=plan.title, body=""))
    number = made.number or 0

    first = done(await world.forge.merge(world.repo, number, head_sha=made.sha or "", title=f"{name} (#1)"))
    again = done(await world.forge.merge(world.repo, number, head_sha=made.sha or "", title=f"{name} (#1)"))

    assert first.sha == again.sha
    _, head = await world.forge.default_branch(world.repo)
    assert head == first.sha
    pull = await world.forge.pull(world.repo, number)
    assert pull is not None
    assert (pull.merged, pull.open, pull.merge_sha) == (True, False, first.sha)
    file = await world.forge.file(world.repo, SETTINGS, head)
    assert file is not None
    assert name in file.content


async def test_a_withdrawn_change_is_not_merged(world: World, name: str):
    """Closing deletes the branch, may be repeated, and a merge is refused for good."""
    plan = await plan_for(world, name, f"database:\n  pool_size: 6 # {name}\n")
    made = done(await world.forge.propose_change(world.repo, plan, message=plan.title, body=""))
    number = made.number or 0

    done(await world.forge.close_pull(world.repo, number, branch=plan.branch))
    done(await world.forge.close_pull(world.repo, number, branch=plan.branch))

    assert plan.branch not in world.branches()
    refused = await world.forge.merge(world.repo, number, head_sha=made.sha or "", title="x")
    assert isinstance(refused, Refused)
    assert not refused.retry


async def test_the_check_of_a_commit_is_brought_up_to_date(world: World, name: str):
    """There is one check of ours on a commit, and it says what was said last."""
    sha = world.pushes("maria", name, {f"{name}.txt": "new\n"})

    for conclusion, title in (("action_required", "Waiting"), ("success", "Verified")):
        done(await world.forge.complete_check(world.repo, sha, conclusion=conclusion, title=title, summary="-"))

    assert world.check(sha) == [("success", "Verified")]
