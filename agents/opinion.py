"""The second opinion: an LLM is asked about the evidence, within its budget, and whatever goes wrong is only noted."""

import json
import secrets
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from agents.diagnosis import Candidate, Diagnosis, Opinion, Spent
from agents.incident import Incident
from agents.llm import (
    BYTES_PER_TOKEN,
    Answer,
    Budget,
    Findings,
    Llm,
    LlmError,
    Prompt,
    candidate_ids,
    read_answer,
    tokens_of,
    with_findings,
)
from agents.prompts import PromptTemplate, catalog
from telemetry.model import Evidence, Signal
from telemetry.scrub import scrub

SecondOpinion = Callable[[Incident, Diagnosis], Awaitable[Diagnosis]]

PROMPT = "root_cause"
ITEM_BYTES = 2_000
EVIDENCE_BYTES = 40_000
ANSWER_TOKENS = 1_000
"""So much of the token budget is kept for the answer."""

_SCHEMA = Answer.model_json_schema()
_NOTED = 400
_SERIES = frozenset({"series"})


def second_opinion(llm: Llm, budget: Budget) -> SecondOpinion:
    """Build the function that asks `llm` about an incident and returns the diagnosis with its opinion.

    It never fails: without a usable answer the deterministic diagnosis stands, and its opinion says why.
    """
    template = catalog()[PROMPT]

    async def ask(incident: Incident, diagnosis: Diagnosis) -> Diagnosis:
        if incident.signal is None:
            return diagnosis
        before = _spent(incident)
        spent = before
        try:
            left = budget.left(before)
            prompt = build_prompt(template, incident.signal, diagnosis, left, secrets.token_hex(8))
            completion = await llm.complete(prompt, left)
            spent = before + completion.spent
            findings = read_answer(completion.text, incident.signal.evidence, diagnosis.candidates)
        except LlmError as error:
            reason = str(error)
            note = f"No second opinion of an LLM, because {reason}; the deterministic analysis stands."
            opinion = _opinion(llm, template, used=False, note=note, spent=spent + error.spent)
            return diagnosis.model_copy(update={"opinion": opinion})
        return _agreed(llm, template, diagnosis, findings, spent)

    return ask


def build_prompt(template: PromptTemplate, signal: Signal, diagnosis: Diagnosis, budget: Budget, mark: str) -> Prompt:
    """Return the question about a signal: quoted, scrubbed, and no longer than the budget allows.

    Raises:
        LlmError: not even one item of evidence fits.
    """
    schema = json.dumps(_SCHEMA)
    values = {
        "delimiter": f"QUOTED-{mark}",
        "alarm": _quoted([anomaly.reason for anomaly in signal.anomalies][:5], mark),
        "verdict": diagnosis.verdict.value,
        "candidates": "\n".join(
            _quoted(_candidate(name, found), mark) for name, found in candidate_ids(diagnosis.candidates).items()
        ),
        "evidence": "",
        "left_out": "0",
        "schema": schema,
    }
    fixed = sum(tokens_of(text) for text in template.fill(values)) + tokens_of(schema)
    room = min(EVIDENCE_BYTES, (budget.tokens - ANSWER_TOKENS - fixed) * BYTES_PER_TOKEN)
    lines: list[str] = []
    for item in _cited_first(signal, diagnosis):
        line = _quoted(_item(item), mark)
        room -= len(line.encode()) + 1
        if room < 0:
            break
        lines.append(line)
    if signal.evidence.items and not lines:
        raise LlmError("its budget of tokens is used up")
    left_out = len(signal.evidence.items) - len(lines)
    system, user = template.fill({**values, "evidence": "\n".join(lines), "left_out": str(left_out)})
    return Prompt(name=template.name, version=template.version, system=system, user=user, answer_schema=_SCHEMA)


def _cited_first(signal: Signal, diagnosis: Diagnosis) -> list[Evidence]:
    """Return the evidence, what the candidates cite before the rest."""
    claims = [claim for found in diagnosis.candidates for claim in (*found.speaks_for, *found.speaks_against)]
    cited = {evidence for claim in (*diagnosis.claims, *claims) for evidence in claim.evidence}
    return sorted(signal.evidence.items, key=lambda item: item.id not in cited)


def _item(item: Evidence) -> dict[str, Any]:
    return item.model_dump(mode="json", exclude_none=True, exclude=set(_SERIES))


def _candidate(name: str, found: Candidate) -> dict[str, Any]:
    claims = [{"text": claim.text, "evidence": list(claim.evidence)} for claim in found.speaks_for]
    return {"id": name, "service": found.service, "kind": found.kind.value, "speaks_for": claims}


def _quoted(value: Any, mark: str) -> str:
    """Return untrusted data as one line of JSON, scrubbed, capped, and without the mark that ends the quotation."""
    text = json.dumps(_scrubbed(value), ensure_ascii=True).replace(mark, "")
    return text if len(text) <= ITEM_BYTES else f"{text[:ITEM_BYTES]}… (cut)"


def _scrubbed(value: Any) -> Any:
    if isinstance(value, str):
        return scrub(value)
    if isinstance(value, dict):
        return {scrub(str(name)): _scrubbed(part) for name, part in value.items()}
    if isinstance(value, Iterable):
        return [_scrubbed(part) for part in value]
    return value


def _spent(incident: Incident) -> Spent:
    """Return what this incident has cost before."""
    opinion = incident.diagnosis.opinion if incident.diagnosis else None
    return opinion.spent if opinion else Spent()


def _opinion(llm: Llm, template: PromptTemplate, *, used: bool, note: str, spent: Spent, **more: Any) -> Opinion:
    return Opinion(
        model=llm.model, prompt=f"{template.name}@{template.version}", used=used, note=note, spent=spent, **more
    )


def _agreed(llm: Llm, template: PromptTemplate, diagnosis: Diagnosis, findings: Findings, spent: Spent) -> Diagnosis:
    """Return the diagnosis with what counts of the answer."""
    preferred = findings.ranking[0] if findings.ranking else None
    first = diagnosis.candidates[0] if diagnosis.candidates else None
    view = "names no cause"
    if preferred is not None:
        view = "agrees on the cause" if preferred == first else f"would rather look at {preferred.service}"
    note = f"A second opinion ({llm.model}) {view}: {findings.summary}"
    opinion = _opinion(
        llm,
        template,
        used=True,
        note=note if len(note) <= _NOTED else f"{note[: _NOTED - 1]}…",
        spent=spent,
        summary=findings.summary,
        claims=findings.claims,
        claims_dropped=findings.dropped,
        preferred=preferred.service if preferred else None,
    )
    return with_findings(diagnosis, findings).model_copy(update={"opinion": opinion})
