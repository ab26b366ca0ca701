"""Root-cause ranking: deterministic, explainable, without an LLM, a name or a data set in it."""

from agents.rca.ranking import rank, verdict
from agents.rca.report import diagnose, with_suspect

__all__ = ["diagnose", "rank", "verdict", "with_suspect"]
