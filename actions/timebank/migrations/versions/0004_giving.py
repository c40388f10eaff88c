"""How visits were rated, and on which days helpers have time."""

import sqlalchemy as sa
from alembic import op

from actions.timebank.model import AwareDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "rating",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column("rater_id", sa.Integer(), nullable=False),
        sa.Column("stars", sa.Integer(), nullable=True),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("turn_id", sa.String(120), nullable=False),
        sa.Column("made_at", AwareDateTime(), nullable=False),
        sa.CheckConstraint("stars BETWEEN 1 AND 5", name=op.f("ck_rating_stars_one_to_five")),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_rating_visit_id")),
        sa.ForeignKeyConstraint(["rater_id"], ["member.id"], name=op.f("fk_rating_rater_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rating")),
        sa.UniqueConstraint("turn_id", name=op.f("uq_rating_turn_id")),
    )
    op.create_index(op.f("ix_rating_visit_id"), "rating", ["visit_id"])
    op.create_table(
        "availability",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("part", sa.String(32), nullable=False),
        sa.CheckConstraint(
            "weekday BETWEEN 0 AND 6", name=op.f("ck_availability_weekday_of_a_week")
        ),
        sa.CheckConstraint(
            "part IN ('morning', 'afternoon', 'evening')",
            name=op.f("ck_availability_part_known"),
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_availability_member_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_availability")),
        sa.UniqueConstraint(
            "member_id", "weekday", "part", name=op.f("uq_availability_member_id_weekday_part")
        ),
    )


def downgrade() -> None:
    op.drop_table("availability")
    op.drop_table("rating")
