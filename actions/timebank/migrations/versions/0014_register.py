"""What staff keep of people: priority, photo, training, why somebody left, who changed what."""

import sqlalchemy as sa
from alembic import op

from actions.timebank.model import AwareDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

KINDS = (
    "'meals', 'cleaning', 'shopping', 'errand', 'escort_medical', 'escort_walk', 'repair', "
    "'companionship', 'bathing', 'haircut', 'farm_work', 'urgent_help'"
)
PRIORITIES = (
    "'old_and_alone', 'low_income', 'destitute', 'disabled', 'lost_only_child', 'children_away'"
)

GUARDS = (("member_change_stays", "UPDATE"), ("member_change_remains", "DELETE"))

SQLITE_GUARD = """
CREATE TRIGGER {name} BEFORE {event} ON member_change
BEGIN SELECT RAISE(ABORT, 'who changed what stays written down'); END
"""

POSTGRESQL_GUARD = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'who changed what stays written down'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER {name} BEFORE {event} ON member_change FOR EACH ROW EXECUTE FUNCTION {name}()
"""


def upgrade() -> None:
    # As plain SQL the checks come with their column, and SQLite need not copy the table. SQLite
    # keeps this text, and SQLAlchemy finds one check a line in it: hence the line breaks.
    op.execute("ALTER TABLE member ADD COLUMN version INTEGER DEFAULT '1'\nNOT NULL")
    op.execute("ALTER TABLE member ADD COLUMN photo VARCHAR(40)")
    op.execute(
        "ALTER TABLE member ADD COLUMN left_why VARCHAR(32)\n"
        "CONSTRAINT ck_member_left_for_a_reason CHECK (left_why IS NULL OR left_at IS NOT NULL)\n"
        "CONSTRAINT ck_member_left_why_known CHECK (left_why IN ('moved', 'wished', 'died'))"
    )
    op.create_table(
        "member_priority",
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("priority", sa.String(32), nullable=False),
        sa.Column("set_by_id", sa.Integer(), nullable=False),
        sa.Column("set_at", AwareDateTime(), nullable=False),
        sa.CheckConstraint(
            f"priority IN ({PRIORITIES})", name=op.f("ck_member_priority_priority_known")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_member_priority_member_id")
        ),
        sa.ForeignKeyConstraint(
            ["set_by_id"], ["member.id"], name=op.f("fk_member_priority_set_by_id")
        ),
        sa.PrimaryKeyConstraint("member_id", "priority", name=op.f("pk_member_priority")),
    )
    op.create_index(op.f("ix_member_priority_priority"), "member_priority", ["priority"])
    op.create_table(
        "training",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("service_kind", sa.String(32), nullable=False),
        sa.Column("trained_at", AwareDateTime(), nullable=False),
        sa.Column("until", AwareDateTime(), nullable=True),
        sa.Column("recorded_by_id", sa.Integer(), nullable=False),
        sa.Column("recorded_at", AwareDateTime(), nullable=False),
        sa.Column("ended_at", AwareDateTime(), nullable=True),
        sa.CheckConstraint(
            f"service_kind IN ({KINDS})", name=op.f("ck_training_service_kind_known")
        ),
        sa.CheckConstraint(
            "until IS NULL OR until > trained_at", name=op.f("ck_training_until_after_it")
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_training_member_id")),
        sa.ForeignKeyConstraint(
            ["recorded_by_id"], ["member.id"], name=op.f("fk_training_recorded_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_training")),
    )
    op.create_index(op.f("ix_training_member_id"), "training", ["member_id"])
    op.create_table(
        "member_change",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("field", sa.String(40), nullable=False),
        sa.Column("before", sa.String(400), nullable=False),
        sa.Column("after", sa.String(400), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("at", AwareDateTime(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["member.id"], name=op.f("fk_member_change_by_id")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_member_change_member_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_change")),
    )
    op.create_index("ix_member_change_member_id", "member_change", ["member_id", "id"])
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for name, event in GUARDS:
        op.execute((SQLITE_GUARD if is_sqlite else POSTGRESQL_GUARD).format(name=name, event=event))


def downgrade() -> None:
    op.drop_table("member_change")
    if op.get_bind().dialect.name != "sqlite":
        for name, _event in GUARDS:
            op.execute(f"DROP FUNCTION {name}()")
    op.drop_table("training")
    op.drop_table("member_priority")
    for column in ("left_why", "photo", "version"):
        op.execute(f"ALTER TABLE member DROP COLUMN {column}")
