"""Root-cause ranking: deterministic, explainable, without an LLM, a name or a data set in it."""

from agents.rca.ranking import rank, verdict

__all__ = ["rank", "verdict"]
