"""Versions of the schema; `bot.db.migrate` runs them."""
