"""What staff do with conversations, and the ways by which they are found."""

import sqlalchemy as sa
from alembic import op

from actions.timebank.model import AwareDateTime

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

NEW_TABLES = (
    "village_word",
    "training_decision",
    "correction",
    "turn_note",
    "call_back",
    "failure_care",
)
GUARDS = (
    ("correction_stays", "UPDATE", "a correction never changes"),
    ("correction_remains", "DELETE", "a correction is never taken out"),
)
SQLITE_GUARD = """
CREATE TRIGGER {name} BEFORE {event} ON correction
BEGIN SELECT RAISE(ABORT, '{message}'); END
"""
POSTGRESQL_GUARD = """
CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '{message}' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER {name} BEFORE {event} ON correction FOR EACH ROW EXECUTE FUNCTION {name}()
"""
TRAINING_STATES = "'waiting', 'accepted', 'refused', 'withdrawn'"


def upgrade() -> None:
    _find_turns()
    _failures()
    _corrections()
    _village_words()
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for name, event, message in GUARDS:
        guard = SQLITE_GUARD if on_sqlite else POSTGRESQL_GUARD
        op.execute(guard.format(name=name, event=event, message=message))


def _find_turns() -> None:
    op.drop_index("ix_turn_member_id", "turn")
    op.drop_index("ix_turn_outcome", "turn")
    for column in ("member_id", "outcome", "intent"):
        op.create_index(f"ix_turn_{column}_began_at", "turn", [column, "began_at"])
    for table in ("transfer", "confirmation"):
        op.create_index(f"ix_{table}_turn_id", table, ["turn_id"])


def _failures() -> None:
    op.create_table(
        "failure_care",
        sa.Column("conversation_id", sa.String(120), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("changed_at", AwareDateTime(), nullable=False),
        sa.CheckConstraint(
            "state IN ('new', 'taken', 'settled')", name=op.f("ck_failure_care_state_known")
        ),
        _of_turn("failure_care", "conversation_id"),
        _by("failure_care"),
        sa.PrimaryKeyConstraint("conversation_id", name=op.f("pk_failure_care")),
    )
    op.create_table(
        "call_back",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("conversation_id", sa.String(120), nullable=False),
        sa.Column("result", sa.String(32), nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("at", AwareDateTime(), nullable=False),
        sa.CheckConstraint(
            "result IN ('helped', 'visited', 'not_needed', 'not_reached')",
            name=op.f("ck_call_back_result_known"),
        ),
        _of_turn("call_back", "conversation_id"),
        _by("call_back"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_call_back")),
    )
    op.create_index(op.f("ix_call_back_conversation_id"), "call_back", ["conversation_id"])
    op.create_table(
        "turn_note",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("turn_id", sa.String(120), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("at", AwareDateTime(), nullable=False),
        sa.CheckConstraint("length(trim(words)) > 0", name=op.f("ck_turn_note_words_not_empty")),
        _of_turn("turn_note", "turn_id"),
        _by("turn_note"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_turn_note")),
    )
    op.create_index(op.f("ix_turn_note_turn_id"), "turn_note", ["turn_id"])


def _corrections() -> None:
    op.create_table(
        "correction",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("turn_id", sa.String(120), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        sa.Column("intent", sa.String(40), nullable=False),
        sa.Column("entities", sa.JSON(), nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("at", AwareDateTime(), nullable=False),
        sa.CheckConstraint("version >= 1", name=op.f("ck_correction_version_counted")),
        sa.CheckConstraint("length(trim(said)) > 0", name=op.f("ck_correction_said_not_empty")),
        _of_turn("correction", "turn_id"),
        _by("correction"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_correction")),
        sa.UniqueConstraint("turn_id", "version", name=op.f("uq_correction_turn_id_version")),
        sa.UniqueConstraint("id", "by_id", name=op.f("uq_correction_id_by_id")),
    )
    op.create_table(
        "training_decision",
        sa.Column("correction_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("written_by_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("said", sa.Text(), server_default="", nullable=False),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("at", AwareDateTime(), nullable=False),
        sa.CheckConstraint(
            f"state IN ({TRAINING_STATES})", name=op.f("ck_training_decision_state_known")
        ),
        sa.CheckConstraint(
            "by_id <> written_by_id", name=op.f("ck_training_decision_second_person")
        ),
        sa.CheckConstraint("state <> 'waiting'", name=op.f("ck_training_decision_decided")),
        sa.CheckConstraint(
            "state <> 'accepted' OR length(trim(said)) > 0",
            name=op.f("ck_training_decision_said_not_empty"),
        ),
        sa.ForeignKeyConstraint(
            ["correction_id", "written_by_id"],
            ["correction.id", "correction.by_id"],
            name=op.f("fk_training_decision_correction_id"),
        ),
        _by("training_decision"),
        sa.PrimaryKeyConstraint("correction_id", name=op.f("pk_training_decision")),
    )


def _village_words() -> None:
    op.create_table(
        "village_word",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("said", sa.String(20), nullable=False),
        sa.Column("heard", sa.String(20), server_default="", nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("state", sa.String(32), nullable=False),
        sa.Column("turn_id", sa.String(120)),
        sa.Column("by_id", sa.Integer(), nullable=False),
        sa.Column("at", AwareDateTime(), nullable=False),
        sa.Column("decided_by_id", sa.Integer()),
        sa.Column("decided_at", AwareDateTime()),
        sa.CheckConstraint(
            "kind IN ('place', 'nickname', 'dialect')", name=op.f("ck_village_word_kind_known")
        ),
        sa.CheckConstraint(
            f"state IN ({TRAINING_STATES})", name=op.f("ck_village_word_state_known")
        ),
        sa.CheckConstraint("length(trim(said)) > 0", name=op.f("ck_village_word_said_not_empty")),
        sa.CheckConstraint("said <> heard", name=op.f("ck_village_word_misheard")),
        sa.CheckConstraint("decided_by_id <> by_id", name=op.f("ck_village_word_second_person")),
        sa.CheckConstraint(
            "(state = 'waiting') = (decided_by_id IS NULL)",
            name=op.f("ck_village_word_decided_by_someone"),
        ),
        sa.CheckConstraint(
            "(decided_at IS NULL) = (decided_by_id IS NULL)",
            name=op.f("ck_village_word_decided_at_a_time"),
        ),
        _of_turn("village_word", "turn_id"),
        _by("village_word"),
        _by("village_word", "decided_by_id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_village_word")),
    )
    is_live = sa.text("state IN ('waiting', 'accepted')")
    op.create_index(
        "uq_village_word_one_live",
        "village_word",
        ["said", "heard"],
        unique=True,
        sqlite_where=is_live,
        postgresql_where=is_live,
    )


def _of_turn(table: str, column: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["turn.id"], name=op.f(f"fk_{table}_{column}"))


def _by(table: str, column: str = "by_id") -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], ["member.id"], name=op.f(f"fk_{table}_{column}"))


def downgrade() -> None:
    for table in NEW_TABLES:
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        for name, _, _ in GUARDS:
            op.execute(f"DROP FUNCTION {name}()")
    for table in ("transfer", "confirmation"):
        op.drop_index(f"ix_{table}_turn_id", table)
    for column in ("member_id", "outcome", "intent"):
        op.drop_index(f"ix_turn_{column}_began_at", "turn")
    op.create_index("ix_turn_member_id", "turn", ["member_id"])
    op.create_index("ix_turn_outcome", "turn", ["outcome"])
