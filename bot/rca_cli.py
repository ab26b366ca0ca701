"""`sre-space rca`: a root-cause analysis of recorded telemetry, readable or as JSON lines."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from agents.rca.report import CAUSES
from bot.process import FAILED
from bot.recorded_cases import Analysis, Case, CaseError, analyse, case_of, document, failed, pod_of
from telemetry.errors import TelemetryFileError

_NS = 1_000_000_000
_STRETCH_HELP = "FROM..TO, each ISO 8601 (UTC if no offset), Unix seconds or nanoseconds"


def rca(
    folders: Annotated[list[Path], typer.Argument(help="Folders with traces, logs or metrics files, or one file.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,  # noqa: FBT002 - a flag
    normal: Annotated[list[str] | None, typer.Option(help=f"A fault-free stretch: {_STRETCH_HELP}.")] = None,
    fault: Annotated[str | None, typer.Option(help=f"The stretch of the fault: {_STRETCH_HELP}.")] = None,
) -> None:
    """Name the root cause of a fault in recorded telemetry, with the evidence for and against each candidate.

    The stretches come from --normal and --fault, else from the line for the folder in `cases.jsonl` beside it.
    """
    stretches = _stretches(normal, fault)
    problems = False
    for folder in folders:
        analysis = _analysis(folder, stretches)
        problems = problems or bool(analysis.problem)
        typer.echo(json.dumps(document(analysis)) if as_json else report(analysis))
        if analysis.problem:
            typer.echo(f"{analysis.case}: {analysis.problem}", err=True)
    if problems:
        raise typer.Exit(FAILED)


def _analysis(folder: Path, stretches: tuple[list[tuple[int, int]], tuple[int, int]] | None) -> Analysis:
    try:
        case = Case(folder.name, stretches[1], stretches[0]) if stretches else case_of(folder)
        return analyse(folder, case)
    except (CaseError, TelemetryFileError) as error:
        return failed(folder.name, str(error))


def _stretches(normal: list[str] | None, fault: str | None) -> tuple[list[tuple[int, int]], tuple[int, int]] | None:
    if not normal and fault is None:
        return None
    if not normal or fault is None:
        raise typer.BadParameter("--normal and --fault belong together")
    return [stretch(text) for text in normal], stretch(fault)


def stretch(text: str) -> tuple[int, int]:
    """Return a stretch `FROM..TO` in Unix nanoseconds.

    Raises:
        typer.BadParameter: it is none, or it ends before it begins.
    """
    first, dots, last = text.partition("..")
    if not dots:
        raise typer.BadParameter(f"{text!r} is no stretch; write {_STRETCH_HELP}")
    start_ns, end_ns = _instant_ns(first.strip()), _instant_ns(last.strip())
    if end_ns <= start_ns:
        raise typer.BadParameter(f"{text!r} ends before it begins")
    return start_ns, end_ns


def _instant_ns(text: str) -> int:
    try:
        if text.replace(".", "", 1).isdecimal():
            number = float(text)
            return int(text) if number > _NS * 100 else int(number * _NS)
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is no time; write {_STRETCH_HELP}") from error
    return int((at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() * _NS)


def report(analysis: Analysis) -> str:
    """Return an analysis in plain text: verdict and cause, then each candidate with its claims."""
    if analysis.problem:
        return f"{analysis.case}: no answer."
    if not analysis.candidates:
        return f"{analysis.case}: inconclusive. Nothing stands out against normal time ({analysis.seconds:.1f} s)."
    best = analysis.candidates[0]
    cause = CAUSES[best.kind].format(service=best.service)
    lines = [f"{analysis.case}: {analysis.verdict}: {cause} ({analysis.seconds:.1f} s)"]
    for place, candidate in enumerate(analysis.candidates, start=1):
        pod = pod_of(candidate, analysis)
        where = f" ({pod})" if pod else ""
        lines.append(f"  {place}. {candidate.service}{where}: {candidate.kind}, score {candidate.score:.2f}")
        lines += [f"     + {claim.text} [{', '.join(claim.evidence)}]" for claim in candidate.speaks_for]
        lines += [f"     - {claim.text} [{', '.join(claim.evidence)}]" for claim in candidate.speaks_against]
    return "\n".join(lines)
