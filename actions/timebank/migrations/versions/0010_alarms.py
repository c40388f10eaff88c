"""The steps of an alarm, who cannot go, where it is; and asking how people are."""

from datetime import datetime, timedelta, timezone

import sqlalchemy as sa
from alembic import op

from actions.timebank.model import AwareDateTime

revision = "0010"
down_revision = "0008"
branch_labels = None
depends_on = None

STEP_GUARDS = (
    ("alarm_step_stays", "UPDATE", "a step of an alarm never changes"),
    ("alarm_step_remains", "DELETE", "a step of an alarm is never taken out"),
)

SQLITE_GUARD = """
CREATE TRIGGER {name} BEFORE {event} ON alarm_step
BEGIN SELECT RAISE(ABORT, '{message}'); END
"""

POSTGRESQL_GUARD = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER {name} BEFORE {event} ON alarm_step FOR EACH ROW EXECUTE FUNCTION {name}()
"""


def upgrade() -> None:
    _alarms()
    _check_ins()
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for name, event, message in STEP_GUARDS:
        guard = SQLITE_GUARD if on_sqlite else POSTGRESQL_GUARD
        op.execute(guard.format(name=name, event=event, message=message))
    _close_old_alerts()


def _alarms() -> None:
    op.create_table(
        "alarm_step",
        sa.Column("alert_id", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("why", sa.String(32), nullable=False),
        sa.Column("people", sa.JSON(), nullable=False),
        sa.Column("turn_id", sa.String(120)),
        sa.Column("at", AwareDateTime(), nullable=False),
        sa.CheckConstraint(
            "why IN ('raised', 'cried_again', 'climbed', 'again', 'asked_if_well', 'not_closed', "
            "'given_back', 'more_needed')",
            name=op.f("ck_alarm_step_why_known"),
        ),
        sa.CheckConstraint("step >= 0", name=op.f("ck_alarm_step_step_counted")),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_alarm_step_alert_id")),
        sa.PrimaryKeyConstraint("alert_id", "step", name=op.f("pk_alarm_step")),
        sa.UniqueConstraint("alert_id", "turn_id", name=op.f("uq_alarm_step_alert_id_turn_id")),
    )
    op.create_table(
        "alarm_refusal",
        sa.Column("alert_id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(120), server_default="", nullable=False),
        sa.Column("at", AwareDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_alarm_refusal_alert_id")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_alarm_refusal_member_id")
        ),
        sa.PrimaryKeyConstraint("alert_id", "member_id", name=op.f("pk_alarm_refusal")),
    )
    op.create_table(
        "alarm_place",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("alert_id", sa.Integer(), nullable=False),
        sa.Column("latitude", sa.Float(), nullable=False),
        sa.Column("longitude", sa.Float(), nullable=False),
        sa.Column("at", AwareDateTime(), nullable=False),
        sa.CheckConstraint(
            "latitude BETWEEN -90 AND 90", name=op.f("ck_alarm_place_latitude_on_earth")
        ),
        sa.CheckConstraint(
            "longitude BETWEEN -180 AND 180", name=op.f("ck_alarm_place_longitude_on_earth")
        ),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_alarm_place_alert_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alarm_place")),
    )
    op.create_index(op.f("ix_alarm_place_alert_id"), "alarm_place", ["alert_id"])


def _check_ins() -> None:
    op.create_table(
        "check_in_wish",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("rhythm", sa.String(32), nullable=False),
        sa.Column("set_at", AwareDateTime(), nullable=False),
        sa.CheckConstraint(
            "rhythm IN ('daily', 'weekly', 'never')", name=op.f("ck_check_in_wish_rhythm_known")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_check_in_wish_member_id")
        ),
        sa.PrimaryKeyConstraint("member_id", name=op.f("pk_check_in_wish")),
    )
    op.create_table(
        "check_in",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("due_at", AwareDateTime(), nullable=False),
        sa.Column("asked_at", AwareDateTime()),
        sa.Column("asked_again_at", AwareDateTime()),
        sa.Column("ended_at", AwareDateTime()),
        sa.Column("alert_id", sa.Integer()),
        sa.CheckConstraint(
            "state IN ('waiting', 'asked', 'answered', 'missed', 'cancelled')",
            name=op.f("ck_check_in_state_known"),
        ),
        sa.CheckConstraint(
            "state <> 'asked' OR asked_at IS NOT NULL", name=op.f("ck_check_in_asked_at_a_time")
        ),
        sa.CheckConstraint(
            "(state IN ('waiting', 'asked')) = (ended_at IS NULL)",
            name=op.f("ck_check_in_ended_once"),
        ),
        sa.CheckConstraint(
            "(state = 'missed') = (alert_id IS NOT NULL)",
            name=op.f("ck_check_in_missed_is_alarmed"),
        ),
        sa.CheckConstraint(
            "asked_again_at IS NULL OR asked_at IS NOT NULL",
            name=op.f("ck_check_in_asked_before_again"),
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_check_in_member_id")),
        sa.ForeignKeyConstraint(["alert_id"], ["alert.id"], name=op.f("fk_check_in_alert_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_check_in")),
        sa.UniqueConstraint("alert_id", name=op.f("uq_check_in_alert_id")),
    )
    op.create_index(op.f("ix_check_in_member_id"), "check_in", ["member_id"])
    op.create_index(op.f("ix_check_in_state"), "check_in", ["state"])
    is_open = sa.text("state IN ('waiting', 'asked')")
    op.create_index(
        "uq_check_in_one_open",
        "check_in",
        ["member_id"],
        unique=True,
        sqlite_where=is_open,
        postgresql_where=is_open,
    )


def _close_old_alerts() -> None:
    """Until now nothing ended an alarm; those of days ago must not begin to climb."""
    alert = sa.table(
        "alert",
        sa.column("state", sa.String()),
        sa.column("raised_at", AwareDateTime()),
        sa.column("closed_at", AwareDateTime()),
    )
    yesterday = datetime.now(timezone.utc) - timedelta(days=1)
    op.execute(
        alert.update()
        .where(alert.c.state != "closed", alert.c.raised_at < yesterday)
        .values(state="closed", closed_at=alert.c.raised_at)
    )


def downgrade() -> None:
    for table in ("check_in", "check_in_wish", "alarm_place", "alarm_refusal", "alarm_step"):
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        for name, _, _ in STEP_GUARDS:
            op.execute(f"DROP FUNCTION {name}()")
