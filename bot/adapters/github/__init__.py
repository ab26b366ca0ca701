"""GitHub behind the `Forge` port: githubkit with our transport, tokens, cache and retry rules."""

from bot.adapters.github.calls import Calls, counting
from bot.adapters.github.forge import Access, GitHubForge, connect

__all__ = ["Access", "Calls", "GitHubForge", "connect", "counting"]
