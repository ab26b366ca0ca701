"""The LLM adapter: any OpenAI-compatible endpoint. Imported by the worker only."""

from bot.adapters.llm.client import OpenAiLlm, Prices

__all__ = ["OpenAiLlm", "Prices"]
