"""Curator's steps: watch the deployed fix in telemetry, then write the post-mortem, remember and close."""

from datetime import datetime, timedelta

from agents.brain import case_text
from agents.config import load
from agents.diagnosis import Diagnosis
from agents.errors import ConfigError
from agents.incident import Agent, Incident, Merge, Stage, Verification
from agents.plan import Remedy
from agents.ports import Case, ForgeReader, Memory, Now, Step, Telemetry
from agents.results import escalate
from agents.verification import Watch, healthy_windows, impact_stopped, judgement, watched
from agents.writes import AnyWrite, CloseIssue, CompleteCheck, LabelIssue, PostComment, SyncComment, Topic
from telemetry.model import RevisionSeen, SliReport

POLL = timedelta(seconds=2)
POLLED_SERIES = 20
"""So many series are asked for in one look; where there are more, looks are rarer: Scout has other things to do."""
SHORT_SHA = 7


def curator(forge: ForgeReader, telemetry: Telemetry, memory: Memory, now: Now) -> Step:
    """Build the step for `verifying` and `learning`."""
    watcher = _Watcher(forge, telemetry, memory, now)

    async def curate(incident: Incident) -> Incident:
        if incident.stage is Stage.LEARNING:
            return await _learn(incident, memory, now)
        return await watcher.verify(incident)

    return curate


class _Watcher:
    """Verification: first the deployed revision, then the SLIs that broke and those next to them."""

    def __init__(self, forge: ForgeReader, telemetry: Telemetry, memory: Memory, now: Now) -> None:
        self._forge = forge
        self._telemetry = telemetry
        self._memory = memory
        self._now = now

    async def verify(self, incident: Incident) -> Incident:
        """Return the incident one look further: waiting, recovered, not recovered, or never deployed."""
        merge = incident.merge
        if merge is None:
            return escalate(incident, Agent.CURATOR, "There is no merge to verify.", self._now())
        check = incident.verification or await self._terms(incident, merge)
        incident = incident.evolve(verification=check)
        if check.deployed_at is None:
            return await self._await_deploy(incident, merge, check)
        return await self._await_recovery(incident, check, check.deployed_at)

    async def _terms(self, incident: Incident, merge: Merge) -> Verification:
        try:
            config, _ = await load(self._forge, incident.repo)
        except ConfigError:
            terms = None
        else:
            terms = config.verification
        return Verification(
            window_s=terms.window_s if terms else 30,
            windows=terms.windows if terms else 4,
            min_requests=terms.min_requests if terms else 20,
            deploy_deadline=merge.at + timedelta(seconds=terms.deploy_timeout_s if terms else 1800),
            recovery_timeout_s=terms.recovery_timeout_s if terms else 900,
        )

    async def _await_deploy(self, incident: Incident, merge: Merge, check: Verification) -> Incident:
        service = _fixed_service(incident)
        seen = await self._telemetry.versions(incident.tenant, incident.environment, service)
        for version in reversed(seen):
            if await self._holds(incident, merge, version):
                at = max(version.first_seen, merge.at)
                note = f"{service} runs {(version.revision or version.version or '')[:9]}, which holds the fix."
                deployed = check.model_copy(update={"deployed_at": at, "deployed_revision": version.revision})
                moved = incident.move(Stage.VERIFYING, Agent.CURATOR, note, self._now(), verification=deployed)
                return moved.evolve(wake_at=self._now() + POLL)
        if self._now() > check.deploy_deadline:
            note = f"The fix is merged as {merge.sha[:9]}, but no telemetry of {service} from it was seen in time."
            return escalate(incident, Agent.CURATOR, note, self._now())
        return incident.evolve(wake_at=self._now() + POLL)

    async def _holds(self, incident: Incident, merge: Merge, seen: RevisionSeen) -> bool:
        """Return whether this version contains the merge commit: the same commit, or one made on top of it."""
        if seen.last_seen < merge.at:
            return False
        if seen.revision is None:
            version = seen.version or ""
            return len(version) >= SHORT_SHA and merge.sha.startswith(version)
        if seen.revision == merge.sha:
            return True
        comparison = await self._forge.compare(incident.repo, merge.sha, seen.revision)
        return comparison is not None and comparison.status in {"identical", "ahead"}

    async def _await_recovery(self, incident: Incident, check: Verification, deployed: datetime) -> Incident:
        reports = [(watch, await self._report(incident, watch, check, deployed)) for watch in watched(incident)]
        good = healthy_windows(reports) if await self._all_is_told(incident) else 0
        verdict = judgement(reports)
        before = check.healthy_windows
        check = check.model_copy(
            update={
                "reports": tuple(report for _, report in reports),
                "healthy_windows": good,
                "verdict": verdict,
            }
        )
        if good >= check.windows:
            return self._recovered(incident, check, impact_stopped(reports))
        if self._now() > deployed + timedelta(seconds=check.recovery_timeout_s):
            return await self._not_recovered(incident, check)
        pause = POLL * max(1, len(reports) // POLLED_SERIES)
        waiting = incident.evolve(verification=check, wake_at=self._now() + pause)
        return waiting.send(SyncComment()) if good != before else waiting

    async def _all_is_told(self, incident: Incident) -> bool:
        """Return whether no series broke but those that are looked at.

        Scout tells of some of very many; of the others only Scout itself can say that they are well.
        """
        signal = incident.signal
        if signal is None or not signal.more_anomalies:
            return True
        group = await self._telemetry.group(signal.group_id)
        return group is not None and not group.open

    async def _report(self, incident: Incident, watch: Watch, check: Verification, since: datetime) -> SliReport:
        """Fetch one series since the deploy; of the fixed service only what the deployed revision served."""
        fixed = watch.key.service == _fixed_service(incident)
        return await self._telemetry.sli(
            watch.key,
            since=since,
            window_s=check.window_s,
            min_requests=check.min_requests if watch.broken else 1,
            revision=check.deployed_revision if fixed else None,
        )

    def _recovered(self, incident: Incident, check: Verification, stopped: datetime | None) -> Incident:
        at = self._now()
        clock = incident.clock.model_copy(update={"mitigated": stopped, "resolved": at})
        note = f"Recovered: healthy for {check.healthy_windows} windows of {check.window_s} s; {check.verdict}."
        return incident.move(Stage.LEARNING, Agent.CURATOR, note, at, verification=check, clock=clock)

    async def _not_recovered(self, incident: Incident, check: Verification) -> Incident:
        if incident.recalled is not None:
            await self._memory.freeze(incident.repo.installation_id, incident.recalled.case_id)
        note = (
            f"Not recovered {check.recovery_timeout_s} s after the fix was deployed: {check.verdict}. "
            "The fix is taken back."
        )
        return incident.move(Stage.REVERTING, Agent.CURATOR, note, self._now(), verification=check)


def _fixed_service(incident: Incident) -> str:
    """Return the service whose deploy carries the fix."""
    if incident.remedy is not None:
        return incident.remedy.service
    return incident.service or ""


async def _learn(incident: Incident, memory: Memory, now: Now) -> Incident:
    """Post the post-mortem, remember the verified fix, and close. The case id makes remembering repeatable."""
    at = now()
    if incident.remedy is not None and incident.diagnosis is not None:
        await memory.remember(_case(incident, incident.diagnosis, incident.remedy, at))
    pull, check = incident.pull_request, incident.verification
    done = incident.move(Stage.EVOLVING, Agent.CURATOR, "Post-mortem written, fix remembered, issue closed.", at)
    writes: list[AnyWrite] = [
        PostComment(key="post_mortem", topic=Topic.POST_MORTEM),
        LabelIssue(key="label:resolved", add=("resolved",)),
        CloseIssue(),
    ]
    if pull and pull.head_sha and check:
        writes.insert(
            0,
            CompleteCheck(
                key="check:verified",
                head_sha=pull.head_sha,
                conclusion="success",
                title="Verified in telemetry",
                summary=f"The deployed fix brought the service back: {check.verdict}.",
            ),
        )
    return done.send(*writes)


def _case(incident: Incident, diagnosis: Diagnosis, remedy: Remedy, at: datetime) -> Case:
    return Case(
        id=incident.id,
        incident_id=incident.id,
        tenant=incident.tenant,
        installation_id=incident.repo.installation_id,
        repo=incident.repo.full_name,
        issue=incident.issue,
        service=diagnosis.service,
        kind=diagnosis.kind,
        signature=incident.signature,
        text=case_text(diagnosis),
        remedy=remedy,
        summary=diagnosis.summary,
        verified_at=at,
    )
