"""Handlers: one family of events each, `async (incident | None, event, deps) -> incident | None`."""
