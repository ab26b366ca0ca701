"""A fake of Llm: answers from a list, and keeps what it was asked."""

import json
from collections.abc import Sequence
from typing import Any

from agents.diagnosis import Spent
from agents.llm import Budget, Completion, LlmError, Prompt

COST = Spent(tokens_in=900, tokens_out=100, usd=0.01, seconds=1.5)


class FakeLlm:
    """Implements `agents.llm.Llm`. An answer that is an exception is raised."""

    model = "fake-1"

    def __init__(self, *answers: str | LlmError) -> None:
        self._answers = list(answers)
        self.prompts: list[Prompt] = []
        self.budgets: list[Budget] = []

    async def complete(self, prompt: Prompt, budget: Budget) -> Completion:
        """Return the next answer, which costs 1 000 tokens, a cent and 1.5 seconds."""
        self.prompts.append(prompt)
        self.budgets.append(budget)
        answer = self._answers.pop(0)
        if isinstance(answer, LlmError):
            raise answer
        return Completion(text=answer, spent=COST)


def answer(
    *claims: tuple[str, Sequence[str]],
    summary: str = "The pool is too small.",
    ranking: Sequence[str] = (),
    **more: Any,
) -> str:
    """Return an answer as a model writes it."""
    said = [{"text": text, "evidence": list(evidence)} for text, evidence in claims]
    return json.dumps({"summary": summary, "claims": said, "ranking": list(ranking), **more})
