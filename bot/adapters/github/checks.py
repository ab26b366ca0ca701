"""Our Check Run on a commit, and the checks of others that a branch demands."""

from urllib.parse import quote

from agents.errors import ForgeRefusedError
from agents.incident import RepoRef
from agents.writes import Done, Result
from bot.adapters.github import payloads, pull_payloads
from bot.adapters.github.client import GONE, Client
from bot.adapters.github.reader import root

CHECK_NAME = "SRE-Space"
PASSED = frozenset({"success", "neutral", "skipped"})
NOT_ALLOWED = frozenset({403, *GONE})


class CheckWriter:
    """Keeps one Check Run of ours per commit; without an `app_id` the external id alone tells which is ours."""

    def __init__(self, client: Client, app_id: int | None) -> None:
        self._client = client
        self._app_id = app_id

    async def complete_check(
        self, repo: RepoRef, head_sha: str, *, conclusion: str, title: str, summary: str
    ) -> Result:
        """Complete our Check Run on `head_sha`, or the one that an earlier try made. Result: its id."""
        external_id = f"sre-space:{head_sha}"
        outcome = {
            "name": CHECK_NAME,
            "external_id": external_id,
            "status": "completed",
            "conclusion": conclusion,
            "output": {"title": title, "summary": summary},
        }
        found = await self._ours(repo, head_sha, external_id)
        where = f"{root(repo)}/check-runs"
        if found is None:
            new = {**outcome, "head_sha": head_sha}
            found = await self._client.send("POST", repo.installation_id, where, pull_payloads.CheckRun, new)
        else:
            await self._client.send(
                "PATCH", repo.installation_id, f"{where}/{found.id}", pull_payloads.CheckRun, outcome
            )
        return Done(number=found.id)

    async def _ours(self, repo: RepoRef, head_sha: str, external_id: str) -> pull_payloads.CheckRun | None:
        where = f"{root(repo)}/commits/{head_sha}/check-runs"
        page = await self._client.get(repo.installation_id, where, pull_payloads.CheckRuns, {"check_name": CHECK_NAME})
        ours = (
            run
            for run in page.check_runs
            if run.external_id == external_id and (run.app is None or self._app_id in {None, run.app.id})
        )
        return next(ours, None)


async def unmet_checks(client: Client, repo: RepoRef, branch: str, head_sha: str) -> list[str]:
    """Return a sentence for each required check that has not passed; none where we may not see them."""
    where = f"{root(repo)}/branches/{quote(branch, safe='')}"
    try:
        found = await client.get(repo.installation_id, where, payloads.Branch)
        required = found.protection.required_status_checks if found.protection else None
        if required is None or not required.contexts:
            return []
        outcomes = await _outcomes(client, repo, head_sha)
    except ForgeRefusedError as error:
        if error.status in NOT_ALLOWED:
            return []
        raise
    return [_unmet(name, outcomes.get(name)) for name in required.contexts if outcomes.get(name) not in PASSED]


async def _outcomes(client: Client, repo: RepoRef, head_sha: str) -> dict[str, str]:
    """Return what every check and status on the commit has come to; `pending` while it runs."""
    where = f"{root(repo)}/commits/{head_sha}"
    runs = await client.get(repo.installation_id, f"{where}/check-runs", pull_payloads.CheckRuns, {"per_page": 100})
    combined = await client.get(repo.installation_id, f"{where}/status", pull_payloads.CombinedStatus)
    outcomes = {run.name: run.conclusion or "pending" for run in run_order(runs)}
    return {**outcomes, **{status.context: status.state for status in combined.statuses}}


def run_order(page: pull_payloads.CheckRuns) -> list[pull_payloads.CheckRun]:
    """Return the runs oldest first, so that the newest of a name wins."""
    return sorted(page.check_runs, key=lambda run: run.id)


def _unmet(name: str, outcome: str | None) -> str:
    words = {None: "has not started", "pending": "is still running"}
    return f"The check `{name}` {words.get(outcome, f'ended as {outcome}')}."
