"""Reminders, consent to recordings, and how people have been."""

import sqlalchemy as sa
from alembic import op

from actions.timebank.model import AwareDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

CONSENT_GUARDS = (
    ("consent_stays", "UPDATE", "a consent never changes"),
    ("consent_remains", "DELETE", "a consent is never taken out"),
)

SQLITE_GUARD = """
CREATE TRIGGER {name} BEFORE {event} ON consent
BEGIN SELECT RAISE(ABORT, '{message}'); END
"""

POSTGRESQL_GUARD = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER {name} BEFORE {event} ON consent FOR EACH ROW EXECUTE FUNCTION {name}()
"""


def upgrade() -> None:
    _reminders()
    _consents()
    _wellbeing()
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for name, event, message in CONSENT_GUARDS:
        guard = SQLITE_GUARD if on_sqlite else POSTGRESQL_GUARD
        op.execute(guard.format(name=name, event=event, message=message))


def _reminders() -> None:
    op.create_table(
        "reminder",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("due_at", AwareDateTime(), nullable=False),
        sa.Column("repeats_daily", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("is_medicine", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("turn_id", sa.String(120), nullable=False),
        sa.Column("created_at", AwareDateTime(), nullable=False),
        sa.Column("told_at", AwareDateTime()),
        sa.Column("ended_at", AwareDateTime()),
        sa.CheckConstraint(
            "state IN ('waiting', 'told', 'answered', 'given_up', 'cancelled')",
            name=op.f("ck_reminder_state_known"),
        ),
        sa.CheckConstraint("length(trim(words)) > 0", name=op.f("ck_reminder_words_not_empty")),
        sa.CheckConstraint(
            "state <> 'told' OR told_at IS NOT NULL", name=op.f("ck_reminder_told_at_a_time")
        ),
        sa.CheckConstraint(
            "(state IN ('waiting', 'told')) = (ended_at IS NULL)",
            name=op.f("ck_reminder_ended_once"),
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_reminder_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder")),
        sa.UniqueConstraint("turn_id", "due_at", name=op.f("uq_reminder_turn_id_due_at")),
    )
    op.create_index(op.f("ix_reminder_member_id"), "reminder", ["member_id"])
    op.create_index(op.f("ix_reminder_state"), "reminder", ["state"])


def _consents() -> None:
    op.create_table(
        "consent",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("step", sa.String(32), nullable=False),
        sa.Column("delete_before", AwareDateTime()),
        sa.Column("turn_id", sa.String(120), nullable=False),
        sa.Column("at", AwareDateTime(), nullable=False),
        sa.CheckConstraint("kind IN ('recording')", name=op.f("ck_consent_kind_known")),
        sa.CheckConstraint(
            "step IN ('asked', 'given', 'revoked')", name=op.f("ck_consent_step_known")
        ),
        sa.CheckConstraint(
            "delete_before IS NULL OR step = 'revoked'",
            name=op.f("ck_consent_deleted_when_revoked"),
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_consent_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_consent")),
        sa.UniqueConstraint("turn_id", "kind", "step", name=op.f("uq_consent_turn_id_kind_step")),
    )
    op.create_index(op.f("ix_consent_member_id"), "consent", ["member_id"])


def _wellbeing() -> None:
    op.create_table(
        "wellbeing",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("symptoms", sa.JSON(), nullable=False),
        sa.Column("turn_id", sa.String(120), nullable=False),
        sa.Column("at", AwareDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_wellbeing_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wellbeing")),
        sa.UniqueConstraint("turn_id", name=op.f("uq_wellbeing_turn_id")),
    )
    op.create_index(op.f("ix_wellbeing_member_id"), "wellbeing", ["member_id"])
    op.create_index(op.f("ix_wellbeing_at"), "wellbeing", ["at"])


def downgrade() -> None:
    for table in ("wellbeing", "consent", "reminder"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        for name, _, _ in CONSENT_GUARDS:
            op.execute(f"DROP FUNCTION {name}()")
