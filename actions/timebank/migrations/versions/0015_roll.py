"""Members who turned out to be one person, and spreadsheets of members on their way in."""

import sqlalchemy as sa
from alembic import op

from actions.timebank.model import AwareDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

KINDS_BEFORE = "kind IN ('settlement', 'gift', 'reissue', 'reversal')"
KINDS = "kind IN ('settlement', 'gift', 'reissue', 'reversal', 'merge')"

IS_BACK = "NEW.left_at IS NULL AND EXISTS (SELECT 1 FROM member_merge WHERE double_id = NEW.id)"

MERGE_GUARDS = (
    # name, table, event, when it is refused, what is said
    ("member_merge_stays", "member_merge", "UPDATE", "TRUE", "a merge never changes"),
    ("member_merge_remains", "member_merge", "DELETE", "TRUE", "a merge is never taken out"),
    ("double_stays_away", "member", "UPDATE", IS_BACK, "a merge is never undone"),
)

SQLITE_GUARD = """
CREATE TRIGGER {name} BEFORE {event} ON {table} WHEN {refused}
BEGIN SELECT RAISE(ABORT, '{message}'); END
"""

POSTGRESQL_GUARD = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF {refused} THEN
        RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()
"""


def upgrade() -> None:
    _kinds_of_transfer(KINDS_BEFORE, KINDS)
    op.create_table(
        "member_merge",
        sa.Column("double_id", sa.Integer(), nullable=False),
        sa.Column("kept_id", sa.Integer(), nullable=False),
        sa.Column("transfer_id", sa.Integer()),
        sa.Column("proposed_by_id", sa.Integer(), nullable=False),
        sa.Column("approved_by_id", sa.Integer(), nullable=False),
        sa.Column("at", AwareDateTime(), nullable=False),
        sa.CheckConstraint("double_id <> kept_id", name=op.f("ck_member_merge_two_rows")),
        sa.CheckConstraint(
            "proposed_by_id <> approved_by_id", name=op.f("ck_member_merge_two_of_the_staff")
        ),
        sa.ForeignKeyConstraint(
            ["double_id"], ["member.id"], name=op.f("fk_member_merge_double_id")
        ),
        sa.ForeignKeyConstraint(["kept_id"], ["member.id"], name=op.f("fk_member_merge_kept_id")),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["transfer.id"], name=op.f("fk_member_merge_transfer_id")
        ),
        sa.ForeignKeyConstraint(
            ["proposed_by_id"], ["member.id"], name=op.f("fk_member_merge_proposed_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["approved_by_id"], ["member.id"], name=op.f("fk_member_merge_approved_by_id")
        ),
        sa.PrimaryKeyConstraint("double_id", name=op.f("pk_member_merge")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_member_merge_transfer_id")),
    )
    op.create_index(op.f("ix_member_merge_kept_id"), "member_merge", ["kept_id"])
    guard = SQLITE_GUARD if _on_sqlite() else POSTGRESQL_GUARD
    for name, table, event, refused, message in MERGE_GUARDS:
        op.execute(
            guard.format(name=name, table=table, event=event, refused=refused, message=message)
        )
    op.create_table(
        "roll_import",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("uploaded_by_id", sa.Integer(), nullable=False),
        sa.Column("rows", sa.JSON(), nullable=False),
        sa.Column("choices", sa.JSON(), nullable=False),
        sa.Column("seen", sa.String(64), nullable=False),
        sa.Column("uploaded_at", AwareDateTime(), nullable=False),
        sa.Column("expires_at", AwareDateTime(), nullable=False),
        sa.Column("confirmed_at", AwareDateTime()),
        sa.ForeignKeyConstraint(
            ["uploaded_by_id"], ["member.id"], name=op.f("fk_roll_import_uploaded_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_roll_import")),
    )
    op.create_index(op.f("ix_roll_import_expires_at"), "roll_import", ["expires_at"])


def _on_sqlite() -> bool:
    return bool(op.get_bind().dialect.name == "sqlite")


def _kinds_of_transfer(before: str, after: str) -> None:
    """No row of the ledger is copied and no trigger of 0002 goes: on SQLite only the text of the
    check changes, in the way that sqlite.org/lang_altertable.html#otheralter describes."""
    if not _on_sqlite():
        op.drop_constraint(op.f("ck_transfer_kind_known"), "transfer")
        op.create_check_constraint(op.f("ck_transfer_kind_known"), "transfer", after)
        return
    connection = op.get_bind()
    stored = sa.text("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = 'transfer'")
    written = str(connection.scalar(stored))
    if written.count(before) != 1:
        raise RuntimeError(f"the table transfer has not this one check: {before}")
    version = connection.scalar(sa.text("PRAGMA schema_version"))
    connection.execute(sa.text("PRAGMA writable_schema = ON"))
    connection.execute(
        sa.text("UPDATE sqlite_master SET sql = :sql WHERE type = 'table' AND name = 'transfer'"),
        {"sql": written.replace(before, after)},
    )
    connection.execute(sa.text(f"PRAGMA schema_version = {version + 1}"))
    connection.execute(sa.text("PRAGMA writable_schema = OFF"))


def downgrade() -> None:
    op.drop_table("roll_import")
    if _on_sqlite():
        op.execute("DROP TRIGGER double_stays_away")
    op.drop_table("member_merge")
    if not _on_sqlite():
        for name, *_ in MERGE_GUARDS:
            op.execute(f"DROP FUNCTION {name}() CASCADE")
    _kinds_of_transfer(KINDS, KINDS_BEFORE)
