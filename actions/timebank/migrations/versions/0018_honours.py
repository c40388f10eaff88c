"""Who may be named on the roll of honour."""

import sqlalchemy as sa
from alembic import op

from actions.timebank.model import AwareDateTime

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

GUARDS = (
    ("honour_wish_stays", "UPDATE", "a wish never changes: a newer one counts"),
    ("honour_wish_remains", "DELETE", "a wish is never taken out"),
)

SQLITE_GUARD = """
CREATE TRIGGER {name} BEFORE {event} ON honour_wish
BEGIN SELECT RAISE(ABORT, '{message}'); END
"""

POSTGRESQL_GUARD = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER {name} BEFORE {event} ON honour_wish FOR EACH ROW EXECUTE FUNCTION {name}()
"""


def upgrade() -> None:
    op.create_table(
        "honour_wish",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("may_be_named", sa.Boolean(), nullable=False),
        sa.Column("heard_by_id", sa.Integer(), nullable=False),
        sa.Column("at", AwareDateTime(), nullable=False),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_honour_wish_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["heard_by_id"], ["member.id"], name=op.f("fk_honour_wish_heard_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_honour_wish")),
    )
    op.create_index(op.f("ix_honour_wish_member_id"), "honour_wish", ["member_id"])
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for name, event, message in GUARDS:
        guard = SQLITE_GUARD if on_sqlite else POSTGRESQL_GUARD
        op.execute(guard.format(name=name, event=event, message=message))


def downgrade() -> None:
    op.drop_table("honour_wish")
    if op.get_bind().dialect.name != "sqlite":
        for name, _, _ in GUARDS:
            op.execute(f"DROP FUNCTION {name}()")
