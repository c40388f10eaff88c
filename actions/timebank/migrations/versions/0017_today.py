"""What staff write down for who comes in person, the minutes a mediator decides on, and what the
staff were told of lately."""

import sqlalchemy as sa
from alembic import op

from actions.timebank.model import AwareDateTime

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

DEEDS = (
    "'request', 'change', 'cancel', 'confirm', 'report_done', 'no_show', 'complain', 'accept', "
    "'decline'"
)
GUARDS = (
    ("in_person_deed_stays", "UPDATE", "what was said in person never changes"),
    ("in_person_deed_remains", "DELETE", "what was said in person is never taken out"),
)
SQLITE_GUARD = """
CREATE TRIGGER {name} BEFORE {event} ON in_person_deed
BEGIN SELECT RAISE(ABORT, '{message}'); END
"""
POSTGRESQL_GUARD = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER {name} BEFORE {event} ON in_person_deed FOR EACH ROW EXECUTE FUNCTION {name}()
"""


def upgrade() -> None:
    op.create_table(
        "in_person_deed",
        sa.Column("turn_id", sa.String(120), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("staff_id", sa.Integer(), nullable=False),
        sa.Column("deed", sa.String(32), nullable=False),
        sa.Column("request_id", sa.Integer()),
        sa.Column("note", sa.String(200), server_default="", nullable=False),
        sa.Column("done_at", AwareDateTime(), nullable=False),
        sa.CheckConstraint(f"deed IN ({DEEDS})", name=op.f("ck_in_person_deed_deed_known")),
        sa.CheckConstraint("member_id <> staff_id", name=op.f("ck_in_person_deed_two_people")),
        sa.CheckConstraint(
            "request_id IS NOT NULL OR deed = 'complain'",
            name=op.f("ck_in_person_deed_about_something"),
        ),
        sa.ForeignKeyConstraint(
            ["turn_id", "member_id"],
            ["turn.id", "turn.member_id"],
            name=op.f("fk_in_person_deed_turn_id"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_in_person_deed_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["staff_id"], ["member.id"], name=op.f("fk_in_person_deed_staff_id")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["service_request.id"], name=op.f("fk_in_person_deed_request_id")
        ),
        sa.PrimaryKeyConstraint("turn_id", name=op.f("pk_in_person_deed")),
    )
    for column in ("member_id", "staff_id", "request_id"):
        op.create_index(op.f(f"ix_in_person_deed_{column}"), "in_person_deed", [column])
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for name, event, message in GUARDS:
        guard = SQLITE_GUARD if on_sqlite else POSTGRESQL_GUARD
        op.execute(guard.format(name=name, event=event, message=message))
    op.create_index("ix_notice_kind", "notice", ["kind", "created_at"])
    # As plain SQL the check comes with its column, and SQLite need not copy the table.
    op.execute(
        "ALTER TABLE dispute ADD COLUMN decided_minutes INTEGER "
        "CONSTRAINT ck_dispute_decided_minutes_of_a_day "
        "CHECK (decided_minutes BETWEEN 0 AND 1440)"
    )


def downgrade() -> None:
    op.drop_index("ix_notice_kind", "notice")
    op.execute("ALTER TABLE dispute DROP COLUMN decided_minutes")
    op.drop_table("in_person_deed")
    if op.get_bind().dialect.name != "sqlite":
        for name, _, _ in GUARDS:
            op.execute(f"DROP FUNCTION {name}()")
