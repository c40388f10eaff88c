"""What the village tells many at once: written, approved by a second person, told."""

import sqlalchemy as sa
from alembic import op

from actions.timebank.model import AwareDateTime

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

STATES = "'draft', 'proposed', 'sending', 'sent', 'rejected', 'withdrawn', 'stopped'"
AUDIENCES = "'everybody', 'group', 'lane', 'helpers', 'alone', 'members'"


def upgrade() -> None:
    op.create_table(
        "broadcast",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("words", sa.String(160), nullable=False),
        sa.Column("spoken_seconds", sa.Integer(), nullable=False),
        sa.Column("audience", sa.String(32), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=True),
        sa.Column("lane_id", sa.Integer(), nullable=True),
        sa.Column("version", sa.Integer(), server_default="1", nullable=False),
        sa.Column("written_by_id", sa.Integer(), nullable=False),
        sa.Column("written_at", AwareDateTime(), nullable=False),
        sa.Column("heard_at", AwareDateTime(), nullable=True),
        sa.Column("proposed_at", AwareDateTime(), nullable=True),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", AwareDateTime(), nullable=True),
        sa.Column("ended_at", AwareDateTime(), nullable=True),
        sa.CheckConstraint(f"state IN ({STATES})", name=op.f("ck_broadcast_state_known")),
        sa.CheckConstraint(f"audience IN ({AUDIENCES})", name=op.f("ck_broadcast_audience_known")),
        sa.CheckConstraint(
            "length(trim(words)) BETWEEN 1 AND 160", name=op.f("ck_broadcast_words_of_a_minute")
        ),
        sa.CheckConstraint(
            "spoken_seconds BETWEEN 1 AND 60", name=op.f("ck_broadcast_a_minute_at_most")
        ),
        sa.CheckConstraint(
            "(audience = 'group') = (group_id IS NOT NULL)",
            name=op.f("ck_broadcast_group_for_a_group"),
        ),
        sa.CheckConstraint(
            "(audience = 'lane') = (lane_id IS NOT NULL)",
            name=op.f("ck_broadcast_lane_for_a_lane"),
        ),
        sa.CheckConstraint(
            "state IN ('draft', 'withdrawn') OR (heard_at IS NOT NULL AND proposed_at IS NOT NULL)",
            name=op.f("ck_broadcast_heard_before_proposed"),
        ),
        sa.CheckConstraint(
            "state NOT IN ('sending', 'sent', 'rejected', 'stopped')"
            " OR (decided_by_id IS NOT NULL AND decided_at IS NOT NULL)",
            name=op.f("ck_broadcast_decided_by_somebody"),
        ),
        sa.CheckConstraint(
            "decided_by_id <> written_by_id", name=op.f("ck_broadcast_decided_by_another")
        ),
        sa.CheckConstraint(
            "(state IN ('sent', 'rejected', 'withdrawn', 'stopped')) = (ended_at IS NOT NULL)",
            name=op.f("ck_broadcast_ended_once"),
        ),
        sa.ForeignKeyConstraint(
            ["group_id"], ["village_group.id"], name=op.f("fk_broadcast_group_id")
        ),
        sa.ForeignKeyConstraint(["lane_id"], ["lane.id"], name=op.f("fk_broadcast_lane_id")),
        sa.ForeignKeyConstraint(
            ["written_by_id"], ["member.id"], name=op.f("fk_broadcast_written_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["decided_by_id"], ["member.id"], name=op.f("fk_broadcast_decided_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broadcast")),
    )
    op.create_index(op.f("ix_broadcast_state"), "broadcast", ["state"])
    op.create_table(
        "broadcast_listener",
        sa.Column("broadcast_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_broadcast_listener_broadcast_id")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_broadcast_listener_member_id")
        ),
        sa.PrimaryKeyConstraint("broadcast_id", "member_id", name=op.f("pk_broadcast_listener")),
    )
    op.create_table(
        "broadcast_visit",
        sa.Column("broadcast_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("told_by_id", sa.Integer(), nullable=False),
        sa.Column("told_at", AwareDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["broadcast_id"], ["broadcast.id"], name=op.f("fk_broadcast_visit_broadcast_id")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_broadcast_visit_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["told_by_id"], ["member.id"], name=op.f("fk_broadcast_visit_told_by_id")
        ),
        sa.PrimaryKeyConstraint("broadcast_id", "member_id", name=op.f("pk_broadcast_visit")),
    )


def downgrade() -> None:
    for table in ("broadcast_visit", "broadcast_listener", "broadcast"):
        op.drop_table(table)
