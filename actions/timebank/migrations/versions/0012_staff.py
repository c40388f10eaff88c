"""The staff's accounts, sessions and logins, and the record of what they did and saw.

Rows of that record are only ever added: the database refuses anything else.
"""

import sqlalchemy as sa
from alembic import op

from actions.timebank.model import AwareDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ROLES = "'coordinator', 'mediator', 'bookkeeper', 'viewer', 'administrator'"
VIEWED = "'conversation', 'recording', 'passbook', 'person'"

GUARDS = (("staff_deed_stays", "UPDATE"), ("staff_deed_remains", "DELETE"))

SQLITE_GUARD = """
CREATE TRIGGER {name} BEFORE {event} ON staff_deed
BEGIN SELECT RAISE(ABORT, 'what staff did stays written down'); END
"""

POSTGRESQL_GUARD = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'what staff did stays written down'
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER {name} BEFORE {event} ON staff_deed FOR EACH ROW EXECUTE FUNCTION {name}()
"""


def upgrade() -> None:
    op.create_table(
        "staff_account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(40), nullable=False),
        sa.Column("password_hash", sa.String(200), nullable=False),
        sa.Column("must_change", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("totp_secret", sa.String(64), nullable=True),
        sa.Column("totp_step", sa.Integer(), server_default="0", nullable=False),
        sa.Column("opened_at", AwareDateTime(), nullable=False),
        sa.Column("closed_at", AwareDateTime(), nullable=True),
        sa.CheckConstraint(
            "length(login) BETWEEN 2 AND 40", name=op.f("ck_staff_account_login_typeable")
        ),
        sa.CheckConstraint("login = lower(login)", name=op.f("ck_staff_account_login_lower")),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_staff_account_member_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_account")),
        sa.UniqueConstraint("login", name=op.f("uq_staff_account_login")),
        sa.UniqueConstraint("member_id", name=op.f("uq_staff_account_member_id")),
    )
    op.create_table(
        "staff_role",
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("role", sa.String(32), nullable=False),
        sa.CheckConstraint(f"role IN ({ROLES})", name=op.f("ck_staff_role_role_known")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["staff_account.id"], name=op.f("fk_staff_role_account_id")
        ),
        sa.PrimaryKeyConstraint("account_id", "role", name=op.f("pk_staff_role")),
    )
    op.create_table(
        "staff_session",
        sa.Column("token_sha256", sa.String(64), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("began_at", AwareDateTime(), nullable=False),
        sa.Column("seen_at", AwareDateTime(), nullable=False),
        sa.Column("ended_at", AwareDateTime(), nullable=True),
        sa.Column("said", sa.String(400), server_default="", nullable=False),
        sa.ForeignKeyConstraint(
            ["account_id"], ["staff_account.id"], name=op.f("fk_staff_session_account_id")
        ),
        sa.PrimaryKeyConstraint("token_sha256", name=op.f("pk_staff_session")),
    )
    op.create_index(op.f("ix_staff_session_account_id"), "staff_session", ["account_id"])
    op.create_table(
        "login_try",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("login", sa.String(40), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("succeeded", sa.Boolean(), nullable=False),
        sa.Column("tried_at", AwareDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_try")),
    )
    op.create_index("ix_login_try_login", "login_try", ["login", "tried_at"])
    op.create_index("ix_login_try_address", "login_try", ["address", "tried_at"])
    op.create_table(
        "staff_deed",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("deed", sa.String(80), nullable=False),
        sa.Column("viewed", sa.String(32), nullable=True),
        sa.Column("about_id", sa.Integer(), nullable=True),
        sa.Column("subject", sa.String(200), server_default="", nullable=False),
        sa.Column("done_at", AwareDateTime(), nullable=False),
        sa.CheckConstraint(f"viewed IN ({VIEWED})", name=op.f("ck_staff_deed_viewed_known")),
        sa.ForeignKeyConstraint(["about_id"], ["member.id"], name=op.f("fk_staff_deed_about_id")),
        sa.ForeignKeyConstraint(["by_id"], ["member.id"], name=op.f("fk_staff_deed_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_deed")),
    )
    op.create_index(op.f("ix_staff_deed_by_id"), "staff_deed", ["by_id"])
    op.create_index(op.f("ix_staff_deed_done_at"), "staff_deed", ["done_at"])
    op.create_index("ix_staff_deed_about", "staff_deed", ["about_id", "done_at"])
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for name, event in GUARDS:
        op.execute((SQLITE_GUARD if is_sqlite else POSTGRESQL_GUARD).format(name=name, event=event))


def downgrade() -> None:
    op.drop_table("staff_deed")
    if op.get_bind().dialect.name != "sqlite":
        for name, _event in GUARDS:
            op.execute(f"DROP FUNCTION {name}()")
    for table in ("login_try", "staff_session", "staff_role", "staff_account"):
        op.drop_table(table)
