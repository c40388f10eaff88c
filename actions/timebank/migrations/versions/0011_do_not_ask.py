"""What helpers wished not to be asked for."""

import sqlalchemy as sa
from alembic import op

from actions.timebank.model import AwareDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

KINDS = (
    "'meals', 'cleaning', 'shopping', 'errand', 'escort_medical', 'escort_walk', 'repair', "
    "'companionship', 'bathing', 'haircut', 'farm_work', 'urgent_help'"
)


def upgrade() -> None:
    op.create_table(
        "do_not_ask",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("service_kind", sa.String(32), nullable=True),
        sa.Column("until", AwareDateTime(), nullable=True),
        sa.Column("words", sa.String(120), server_default="", nullable=False),
        sa.Column("said_at", AwareDateTime(), nullable=False),
        sa.CheckConstraint(
            f"service_kind IN ({KINDS})", name=op.f("ck_do_not_ask_service_kind_known")
        ),
        sa.CheckConstraint(
            "service_kind IS NOT NULL OR until IS NOT NULL",
            name=op.f("ck_do_not_ask_kind_or_time"),
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_do_not_ask_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_do_not_ask")),
    )
    op.create_index(op.f("ix_do_not_ask_member_id"), "do_not_ask", ["member_id"])


def downgrade() -> None:
    op.drop_table("do_not_ask")
