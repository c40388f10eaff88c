"""What alembic runs. `schema.upgrade` hands in the open connection and owns its transaction."""

from alembic import context

from actions.timebank.model import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()
