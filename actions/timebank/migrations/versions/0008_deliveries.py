"""How far each notice has come on its way through a messenger."""

import sqlalchemy as sa
from alembic import op

from actions.timebank.model import AwareDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("notice_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("urgency", sa.String(32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("due_at", AwareDateTime(), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unsure", sa.Integer(), server_default="0", nullable=False),
        sa.Column("began_at", AwareDateTime()),
        sa.Column("binding_id", sa.Integer()),
        sa.Column("message_id", sa.String(64)),
        sa.Column("code", sa.String(40), server_default="", nullable=False),
        sa.Column("ended_at", AwareDateTime()),
        sa.CheckConstraint("channel IN ('telegram')", name=op.f("ck_delivery_channel_known")),
        sa.CheckConstraint(
            "urgency IN ('ordinary', 'silent', 'urgent')", name=op.f("ck_delivery_urgency_known")
        ),
        sa.CheckConstraint(
            "state IN ('waiting', 'sending', 'sent', 'blocked', 'given_up', 'dropped')",
            name=op.f("ck_delivery_state_known"),
        ),
        sa.CheckConstraint(
            "tries >= 0 AND unsure BETWEEN 0 AND tries", name=op.f("ck_delivery_tries_counted")
        ),
        sa.CheckConstraint(
            "state NOT IN ('sending', 'sent', 'blocked')"
            " OR (began_at IS NOT NULL AND binding_id IS NOT NULL)",
            name=op.f("ck_delivery_sent_to_a_chat"),
        ),
        sa.CheckConstraint(
            "state <> 'sent' OR message_id IS NOT NULL",
            name=op.f("ck_delivery_sent_as_a_message"),
        ),
        sa.CheckConstraint(
            "(state IN ('sent', 'given_up', 'dropped')) = (ended_at IS NOT NULL)",
            name=op.f("ck_delivery_ended_once"),
        ),
        sa.ForeignKeyConstraint(["notice_id"], ["notice.id"], name=op.f("fk_delivery_notice_id")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_delivery_member_id")),
        sa.ForeignKeyConstraint(
            ["binding_id"], ["channel_binding.id"], name=op.f("fk_delivery_binding_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery")),
        sa.UniqueConstraint("notice_id", "channel", name=op.f("uq_delivery_notice_id_channel")),
    )
    op.create_index(
        "uq_delivery_one_at_a_time",
        "delivery",
        ["channel", "member_id", "urgency"],
        unique=True,
        sqlite_where=sa.text("state = 'sending'"),
        postgresql_where=sa.text("state = 'sending'"),
    )
    op.create_index("ix_delivery_in_turn", "delivery", ["state", "urgency", "notice_id"])
    op.create_index(
        "ix_delivery_queue",
        "delivery",
        ["member_id", "channel", "urgency", "state", "notice_id"],
    )


def downgrade() -> None:
    op.drop_table("delivery")
