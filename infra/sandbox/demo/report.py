"""The demo's report: what happened to each incident, in real timestamps and counts."""

from pathlib import Path

from dashboard.model import IncidentDetail
from telemetry.model import Frozen


class IncidentReport(Frozen):
    """One incident of the demo. Durations are seconds; None means that it did not come that far."""

    scenario: str
    outcome: str
    cause_service: str | None
    cause_kind: str | None
    suspect_commit: str | None
    fix_pull_request: str | None
    fix_diff: str | None
    merge_commit: str | None
    revert_pull_request: int | None
    from_memory: bool
    approved_by: tuple[str, ...]
    ttd_s: float | None
    tta_s: float | None
    ttm_s: float | None
    ttr_s: float | None
    github_calls: int
    issue: str | None


class DemoReport(Frozen):
    """The file `demo-report.json`."""

    incidents: tuple[IncidentReport, ...]

    def write(self, path: Path) -> None:
        """Write the report as JSON."""
        path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")


def report_of(scenario: str, detail: IncidentDetail) -> IncidentReport:
    """Return the report of one incident, taken from what the dashboard shows of it."""
    card, diagnosis = detail.card, detail.diagnosis
    return IncidentReport(
        scenario=scenario,
        outcome=card.stage,
        cause_service=diagnosis.service if diagnosis else None,
        cause_kind=diagnosis.kind if diagnosis else None,
        suspect_commit=diagnosis.suspect_sha if diagnosis else None,
        fix_pull_request=card.pull_request_url,
        fix_diff=detail.diff,
        merge_commit=detail.merge_sha,
        revert_pull_request=detail.revert_pull_request,
        from_memory=card.from_memory,
        approved_by=detail.approvals,
        ttd_s=card.ttd_s,
        tta_s=card.tta_s,
        ttm_s=card.ttm_s,
        ttr_s=card.ttr_s,
        github_calls=detail.github_calls,
        issue=card.issue_url,
    )
