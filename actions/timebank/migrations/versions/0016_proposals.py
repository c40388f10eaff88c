"""What waits for a second person, and the ways in which the books are looked through.

A decided proposal never changes and none is taken out: the database refuses it, as it refuses
another content under an open one.
"""

import sqlalchemy as sa
from alembic import op

from actions.timebank.model import AwareDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

PROPOSED = (
    "kind, reverses_id, account_id, source, minutes, double_id, kept_id, reason, "
    "proposed_by_id, proposed_at"
)

GUARDS = (
    # name, event, when it is refused, what is said
    ("proposal_decided", "UPDATE", "OLD.state <> 'proposed'", "a decided proposal never changes"),
    ("proposal_content", f"UPDATE OF {PROPOSED}", "TRUE", "what was proposed never changes"),
    ("proposal_remains", "DELETE", "TRUE", "a proposal is never taken out"),
)

SQLITE_GUARD = """
CREATE TRIGGER {name} BEFORE {event} ON proposal WHEN {refused}
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
CREATE TRIGGER {name} BEFORE {event} ON proposal FOR EACH ROW EXECUTE FUNCTION {name}()
"""

FOREIGN_KEYS = {
    "reverses_id": "transfer",
    "account_id": "account",
    "double_id": "member",
    "kept_id": "member",
    "proposed_by_id": "member",
    "decided_by_id": "member",
    "transfer_id": "transfer",
}

CHECKS = {
    "kind_known": "kind IN ('reversal', 'grant', 'merge')",
    "state_known": "state IN ('proposed', 'approved', 'rejected', 'withdrawn')",
    "reason_given": "length(trim(reason)) > 0",
    "names_the_wrong": "(kind = 'reversal') = (reverses_id IS NOT NULL)",
    "grants_something": (
        "(kind = 'grant') = (account_id IS NOT NULL) AND "
        "(kind = 'grant') = (minutes IS NOT NULL) AND "
        "(kind = 'grant') = (source IS NOT NULL)"
    ),
    "minutes_positive": "minutes > 0",
    "source_known": "source IN ('system', 'fund')",
    "merges_two": (
        "(kind = 'merge') = (double_id IS NOT NULL) AND (kind = 'merge') = (kept_id IS NOT NULL)"
    ),
    "nobody_is_his_double": "double_id <> kept_id",
    "decided_once": (
        "(state = 'proposed') = (decided_by_id IS NULL) AND "
        "(state = 'proposed') = (decided_at IS NULL)"
    ),
    "second_person": "(state = 'withdrawn') = (decided_by_id = proposed_by_id)",
    "moves_when_approved": "transfer_id IS NULL OR state = 'approved'",
    "approved_moves": "state <> 'approved' OR kind = 'merge' OR transfer_id IS NOT NULL",
}


def upgrade() -> None:
    op.create_table(
        "proposal",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("reverses_id", sa.Integer(), nullable=True),
        sa.Column("account_id", sa.Integer(), nullable=True),
        sa.Column("source", sa.String(32), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("double_id", sa.Integer(), nullable=True),
        sa.Column("kept_id", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by_id", sa.Integer(), nullable=False),
        sa.Column("proposed_at", AwareDateTime(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("decided_by_id", sa.Integer(), nullable=True),
        sa.Column("decided_at", AwareDateTime(), nullable=True),
        sa.Column("answer", sa.String(200), server_default="", nullable=False),
        sa.Column("transfer_id", sa.Integer(), nullable=True),
        *(
            sa.CheckConstraint(check, name=op.f(f"ck_proposal_{name}"))
            for name, check in CHECKS.items()
        ),
        *(
            sa.ForeignKeyConstraint([column], [f"{table}.id"], name=op.f(f"fk_proposal_{column}"))
            for column, table in FOREIGN_KEYS.items()
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal")),
        sa.UniqueConstraint("transfer_id", name=op.f("uq_proposal_transfer_id")),
    )
    for column in FOREIGN_KEYS:
        if column != "transfer_id":
            op.create_index(op.f(f"ix_proposal_{column}"), "proposal", [column])
    op.create_index("ix_proposal_state", "proposal", ["state", "id"])
    still_open = sa.text("state = 'proposed'")
    for name, column in (("reversal", "reverses_id"), ("merge", "double_id")):
        op.create_index(
            f"uq_proposal_open_{name}",
            "proposal",
            [column],
            unique=True,
            sqlite_where=still_open,
            postgresql_where=still_open,
        )
    op.create_table(
        "chain_check",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("at", AwareDateTime(), nullable=False),
        sa.Column("transfers", sa.Integer(), nullable=False),
        sa.Column("head", sa.String(64), nullable=False),
        sa.Column("first_bad", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["by_id"], ["member.id"], name=op.f("fk_chain_check_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chain_check")),
    )
    op.create_index(op.f("ix_chain_check_by_id"), "chain_check", ["by_id"])
    # Sums and passbooks are read from this index alone.
    op.drop_index("ix_posting_account_id", "posting")
    op.create_index("ix_posting_account", "posting", ["account_id", "transfer_id", "minutes"])
    guard = POSTGRESQL_GUARD if op.get_bind().dialect.name == "postgresql" else SQLITE_GUARD
    for name, event, refused, message in GUARDS:
        op.execute(guard.format(name=name, event=event, refused=refused, message=message))


def downgrade() -> None:
    op.drop_index("ix_posting_account", "posting")
    op.create_index("ix_posting_account_id", "posting", ["account_id"])
    op.drop_table("chain_check")
    op.drop_table("proposal")
    if op.get_bind().dialect.name == "postgresql":
        for name, *_ in GUARDS:
            op.execute(f"DROP FUNCTION {name}()")
