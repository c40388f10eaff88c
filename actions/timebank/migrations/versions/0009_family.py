"""Family members who act for an elder, each by her own spoken yes."""

import sqlalchemy as sa
from alembic import op

from actions.timebank.model import AwareDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("uq_turn_of_member", "turn", ["id", "member_id"], unique=True)
    op.create_table(
        "delegation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("elder_id", sa.Integer(), nullable=False),
        sa.Column("delegate_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("proposed_by_id", sa.Integer()),
        sa.Column("proposed_at", AwareDateTime(), nullable=False),
        sa.Column("renews_id", sa.Integer()),
        sa.Column("consent_turn_id", sa.String(120)),
        sa.Column("consent_recording_sha256", sa.String(64)),
        sa.Column("given_at", AwareDateTime()),
        sa.Column("ends_at", AwareDateTime()),
        sa.Column("ended_at", AwareDateTime()),
        sa.CheckConstraint(
            "state IN ('proposed', 'given', 'ended', 'refused', 'lapsed')",
            name=op.f("ck_delegation_state_known"),
        ),
        sa.CheckConstraint("elder_id <> delegate_id", name=op.f("ck_delegation_two_people")),
        sa.CheckConstraint(
            "state NOT IN ('proposed', 'refused') OR given_at IS NULL",
            name=op.f("ck_delegation_not_given_yet"),
        ),
        sa.CheckConstraint(
            "state <> 'given' OR given_at IS NOT NULL",
            name=op.f("ck_delegation_given_at_a_time"),
        ),
        sa.CheckConstraint(
            "(given_at IS NULL) = (consent_turn_id IS NULL)",
            name=op.f("ck_delegation_given_by_her_own_turn"),
        ),
        sa.CheckConstraint(
            "(given_at IS NULL) = (ends_at IS NULL)", name=op.f("ck_delegation_given_for_a_time")
        ),
        sa.CheckConstraint(
            "given_at IS NULL OR ends_at > given_at",
            name=op.f("ck_delegation_ends_after_it_began"),
        ),
        sa.CheckConstraint(
            "(state IN ('proposed', 'given')) = (ended_at IS NULL)",
            name=op.f("ck_delegation_ended_once"),
        ),
        sa.ForeignKeyConstraint(
            ["consent_turn_id", "elder_id"],
            ["turn.id", "turn.member_id"],
            name=op.f("fk_delegation_consent_turn_id"),
        ),
        sa.ForeignKeyConstraint(["elder_id"], ["member.id"], name=op.f("fk_delegation_elder_id")),
        sa.ForeignKeyConstraint(
            ["delegate_id"], ["member.id"], name=op.f("fk_delegation_delegate_id")
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by_id"], ["member.id"], name=op.f("fk_delegation_proposed_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["renews_id"], ["delegation.id"], name=op.f("fk_delegation_renews_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegation")),
        sa.UniqueConstraint("renews_id", name=op.f("uq_delegation_renews_id")),
    )
    op.create_index(op.f("ix_delegation_delegate_id"), "delegation", ["delegate_id"])
    op.create_index(op.f("ix_delegation_state"), "delegation", ["state"])
    for state in ("proposed", "given"):
        op.create_index(
            f"uq_delegation_one_{state}",
            "delegation",
            ["elder_id", "delegate_id"],
            unique=True,
            sqlite_where=sa.text(f"state = '{state}'"),
            postgresql_where=sa.text(f"state = '{state}'"),
        )
    op.create_table(
        "delegation_grant",
        sa.Column("delegation_id", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(32), nullable=False),
        sa.CheckConstraint(
            "scope IN ('see_requests', 'see_balance', 'ask_help', 'alarms')",
            name=op.f("ck_delegation_grant_scope_known"),
        ),
        sa.ForeignKeyConstraint(
            ["delegation_id"], ["delegation.id"], name=op.f("fk_delegation_grant_delegation_id")
        ),
        sa.PrimaryKeyConstraint("delegation_id", "scope", name=op.f("pk_delegation_grant")),
    )


def downgrade() -> None:
    op.drop_table("delegation_grant")
    op.drop_table("delegation")
    op.drop_index("uq_turn_of_member", "turn")
