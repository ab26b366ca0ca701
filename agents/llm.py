"""The port to an LLM, and its answer as a typed opinion: nothing in it counts that the evidence does not show."""

import math
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict, ValidationError

from agents.diagnosis import Candidate, Claim, Diagnosis, Spent, Verdict
from agents.errors import SreSpaceError
from agents.markdown import plain
from agents.rca.claims import supported
from telemetry.model import EvidenceBundle, Frozen
from telemetry.scrub import scrub

SUMMARY_MAX = 600
CLAIM_MAX = 300
CLAIMS_MAX = 6
BYTES_PER_TOKEN = 3
"""Of English and JSON a token holds four bytes and more; counting three estimates from above."""


class Budget(Frozen):
    """What may be spent on one incident. None: that kind of cost is not counted."""

    tokens: int
    usd: float | None
    seconds: float

    def left(self, spent: Spent) -> "Budget":
        """Return what is left, never below zero."""
        return Budget(
            tokens=max(0, self.tokens - spent.tokens_in - spent.tokens_out),
            usd=None if self.usd is None else max(0.0, self.usd - spent.usd),
            seconds=max(0.0, self.seconds - spent.seconds),
        )


class Prompt(Frozen):
    """One question, and the JSON Schema of its answer."""

    name: str
    version: str
    system: str
    user: str
    answer_schema: dict[str, Any]


class Completion(Frozen):
    """The text of an answer and what it cost."""

    text: str
    spent: Spent


class LlmError(SreSpaceError):
    """No usable answer; the message says why in one clause, and `spent` what it cost all the same."""

    def __init__(self, reason: str, spent: Spent | None = None) -> None:
        super().__init__(reason)
        self.spent = spent or Spent()


class Llm(Protocol):
    """A language model."""

    @property
    def model(self) -> str:
        """Return the model's name."""
        ...

    async def complete(self, prompt: Prompt, budget: Budget) -> Completion:
        """Return its answer to a prompt, within the budget.

        Raises:
            LlmError: it gave none, for whatever reason.
        """
        ...


class AnswerClaim(BaseModel):
    """A claim as the model writes it."""

    model_config = ConfigDict(extra="forbid")

    text: str
    evidence: list[str]


class Answer(BaseModel):
    """The answer as the model writes it: every field required, no limits, as structured outputs want it."""

    model_config = ConfigDict(extra="forbid")

    summary: str
    claims: list[AnswerClaim]
    ranking: list[str]


class Findings(Frozen):
    """What counts of an answer: claims with evidence that exists, and an order of known candidates."""

    summary: str
    claims: tuple[Claim, ...]
    dropped: int
    ranking: tuple[Candidate, ...]


def tokens_of(text: str) -> int:
    """Return how many tokens a text has at most, for text in English or JSON."""
    return math.ceil(len(text.encode()) / BYTES_PER_TOKEN)


def candidate_ids(candidates: tuple[Candidate, ...]) -> dict[str, Candidate]:
    """Return the candidates by the ids under which a model sees them."""
    return {f"C{number}": candidate for number, candidate in enumerate(candidates, start=1)}


def read_answer(text: str, bundle: EvidenceBundle, candidates: tuple[Candidate, ...]) -> Findings:
    """Return what counts of a model's answer.

    Raises:
        LlmError: it is not the JSON that was asked for, ranks a candidate that does not exist, or shows nothing.
    """
    try:
        answer = Answer.model_validate_json(text)
    except ValidationError as error:
        raise LlmError(f"its answer is not the JSON that was asked for ({error.error_count()} problems)") from error
    known = candidate_ids(candidates)
    unknown = [name for name in answer.ranking if name not in known]
    if unknown:
        raise LlmError("it ranks a candidate that does not exist")
    claims = tuple(
        Claim(text=_clean(claim.text, CLAIM_MAX), evidence=tuple(dict.fromkeys(claim.evidence)))
        for claim in answer.claims
        if claim.text.strip()
    )
    kept = supported(claims, bundle)[:CLAIMS_MAX]
    summary = _clean(answer.summary, SUMMARY_MAX)
    if not kept or not summary:
        raise LlmError("it cites no evidence that exists" if not kept else "it says nothing")
    ranking = tuple(known[name] for name in dict.fromkeys(answer.ranking))
    return Findings(summary=summary, claims=kept, dropped=len(answer.claims) - len(kept), ranking=ranking)


def with_findings(diagnosis: Diagnosis, findings: Findings) -> Diagnosis:
    """Return the diagnosis with the model's claims, and its order of candidates where the evidence decides none.

    A verdict is never changed by a model. Where the deterministic ranking is confirmed or likely, its order stays,
    and with it everything that follows from the diagnosis: remedy, policy and approvals.
    """
    said = tuple(Claim(text=f"second opinion: {claim.text}", evidence=claim.evidence) for claim in findings.claims)
    if diagnosis.verdict is not Verdict.INCONCLUSIVE or not findings.ranking:
        return diagnosis.model_copy(update={"claims": (*diagnosis.claims, *said)})
    rest = tuple(candidate for candidate in diagnosis.candidates if candidate not in findings.ranking)
    first = findings.ranking[0]
    return diagnosis.model_copy(
        update={
            "candidates": (*findings.ranking, *rest),
            "service": first.service,
            "operation": first.operation,
            "kind": first.kind,
            "claims": (*first.speaks_for, *said),
        }
    )


def _clean(text: str, limit: int) -> str:
    """Return a text that a model wrote as one safe line: it has read untrusted text, and may repeat it."""
    return plain(scrub(text), limit)
