"""Chats that speak for members, cards to join with, buttons, and what messengers handed over."""

import sqlalchemy as sa
from alembic import op

from actions.timebank.model import AwareDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

CHANNEL_KNOWN = "channel IN ('telegram')"


def upgrade() -> None:
    _bindings()
    _cards()
    _buttons()
    op.create_table(
        "channel_update",
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("update_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("begun_at", AwareDateTime(), nullable=False),
        sa.Column("finished_at", AwareDateTime()),
        sa.CheckConstraint(CHANNEL_KNOWN, name=op.f("ck_channel_update_channel_known")),
        sa.PrimaryKeyConstraint("channel", "update_id", name=op.f("pk_channel_update")),
    )
    op.create_index(op.f("ix_channel_update_begun_at"), "channel_update", ["begun_at"])


def _bindings() -> None:
    op.create_table(
        "channel_binding",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("bound_at", AwareDateTime(), nullable=False),
        sa.Column("unbound_at", AwareDateTime()),
        sa.Column("unreachable_at", AwareDateTime()),
        sa.CheckConstraint(CHANNEL_KNOWN, name=op.f("ck_channel_binding_channel_known")),
        sa.CheckConstraint(
            "length(trim(address)) > 0", name=op.f("ck_channel_binding_address_not_empty")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_channel_binding_member_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel_binding")),
        sa.UniqueConstraint("id", "member_id", name=op.f("uq_channel_binding_id_member_id")),
    )
    op.create_index(op.f("ix_channel_binding_member_id"), "channel_binding", ["member_id"])
    for name, column in (("one_member", "address"), ("one_chat", "member_id")):
        _unique_where(
            f"uq_channel_binding_{name}",
            "channel_binding",
            ["channel", column],
            "unbound_at IS NULL",
        )


def _cards() -> None:
    op.create_table(
        "join_card",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("issued_by_id", sa.Integer()),
        sa.Column("code_hash", sa.String(64), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("issued_at", AwareDateTime(), nullable=False),
        sa.Column("expires_at", AwareDateTime(), nullable=False),
        sa.Column("channel", sa.String(32)),
        sa.Column("address", sa.String(64)),
        sa.Column("asked_at", AwareDateTime()),
        sa.Column("binding_id", sa.Integer()),
        sa.CheckConstraint(
            "state IN ('unused', 'asked', 'used', 'void')", name=op.f("ck_join_card_state_known")
        ),
        sa.CheckConstraint(CHANNEL_KNOWN, name=op.f("ck_join_card_channel_known")),
        sa.CheckConstraint(
            "(channel IS NULL) = (address IS NULL)", name=op.f("ck_join_card_whole_address")
        ),
        sa.CheckConstraint(
            "(channel IS NULL) = (asked_at IS NULL)", name=op.f("ck_join_card_asked_at_a_time")
        ),
        sa.CheckConstraint(
            "(state = 'used') = (binding_id IS NOT NULL)",
            name=op.f("ck_join_card_used_for_a_chat"),
        ),
        sa.CheckConstraint(
            "state <> 'asked' OR channel IS NOT NULL", name=op.f("ck_join_card_asked_in_a_chat")
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_join_card_member_id")),
        sa.ForeignKeyConstraint(
            ["issued_by_id"], ["member.id"], name=op.f("fk_join_card_issued_by_id")
        ),
        _binding_of_the_member("join_card"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_join_card")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_join_card_code_hash")),
    )
    op.create_index(op.f("ix_join_card_member_id"), "join_card", ["member_id"])
    _unique_where(
        "uq_join_card_one_live", "join_card", ["member_id"], "state IN ('unused', 'asked')"
    )
    _unique_where("uq_join_card_one_asked", "join_card", ["channel", "address"], "state = 'asked'")
    op.create_table(
        "card_try",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("at", AwareDateTime(), nullable=False),
        sa.CheckConstraint(CHANNEL_KNOWN, name=op.f("ck_card_try_channel_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_card_try")),
    )
    op.create_index(op.f("ix_card_try_at"), "card_try", ["at"])


def _buttons() -> None:
    op.create_table(
        "sent_button",
        sa.Column("token", sa.String(22), nullable=False),
        sa.Column("binding_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("about", sa.String(160), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(80), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("made_at", AwareDateTime(), nullable=False),
        sa.Column("expires_at", AwareDateTime(), nullable=False),
        sa.Column("pressed_at", AwareDateTime()),
        sa.Column("died_at", AwareDateTime()),
        sa.CheckConstraint("place IN (0, 1)", name=op.f("ck_sent_button_two_at_most")),
        sa.CheckConstraint(
            "pressed_at IS NULL OR died_at IS NULL", name=op.f("ck_sent_button_pressed_or_dead")
        ),
        _binding_of_the_member("sent_button"),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_sent_button")),
        sa.UniqueConstraint(
            "binding_id", "about", "place", name=op.f("uq_sent_button_binding_id_about_place")
        ),
    )
    _unique_where(
        "uq_sent_button_one_pressed",
        "sent_button",
        ["binding_id", "about"],
        "pressed_at IS NOT NULL",
    )


def _binding_of_the_member(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["binding_id", "member_id"],
        ["channel_binding.id", "channel_binding.member_id"],
        name=op.f(f"fk_{table}_binding_id"),
    )


def _unique_where(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(
        name, table, columns, unique=True, sqlite_where=condition, postgresql_where=condition
    )


def downgrade() -> None:
    for table in ("channel_update", "sent_button", "card_try", "join_card", "channel_binding"):
        op.drop_table(table)
