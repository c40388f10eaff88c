"""How long a member's silence is waited for, and the one question before an uncertain alarm."""

import sqlalchemy as sa
from alembic import op

from actions.timebank.model import AwareDateTime

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # As plain SQL the check comes with its column, and SQLite need not copy the table.
    op.execute(
        "ALTER TABLE member ADD COLUMN patience_ms INTEGER DEFAULT '2500' NOT NULL "
        "CONSTRAINT ck_member_patience_bearable CHECK (patience_ms BETWEEN 2500 AND 6000)"
    )
    op.create_table(
        "alarm_question",
        sa.Column("turn_id", sa.String(120), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("asked_at", AwareDateTime(), nullable=False),
        sa.Column("settled_at", AwareDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_alarm_question_member_id")
        ),
        sa.PrimaryKeyConstraint("turn_id", name=op.f("pk_alarm_question")),
    )
    op.create_index(
        "uq_alarm_question_one_open",
        "alarm_question",
        ["member_id"],
        unique=True,
        sqlite_where=sa.text("settled_at IS NULL"),
        postgresql_where=sa.text("settled_at IS NULL"),
    )


def downgrade() -> None:
    op.drop_table("alarm_question")
    op.execute("ALTER TABLE member DROP COLUMN patience_ms")
