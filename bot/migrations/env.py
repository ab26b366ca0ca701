"""What Alembic runs: the versions, over the connection that `bot.db.migrate` hands in."""

from alembic import context

from bot.db.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
