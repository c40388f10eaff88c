"""What actions did in a turn, so that the same turn again acts no second time."""

import sqlalchemy as sa
from alembic import op

from actions.timebank.model import AwareDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "deed",
        sa.Column("turn_id", sa.String(120), nullable=False),
        sa.Column("action", sa.String(60), nullable=False),
        sa.Column("messages", sa.JSON(), nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("done_at", AwareDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("turn_id", "action", name=op.f("pk_deed")),
    )
    op.create_index(op.f("ix_deed_done_at"), "deed", ["done_at"])


def downgrade() -> None:
    op.drop_table("deed")
