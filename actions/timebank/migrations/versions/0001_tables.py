"""All tables as they were first made. A picture of its day: it never changes with the model."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SERVICE_KIND_KNOWN = (
    "service_kind IN ('meals', 'cleaning', 'shopping', 'errand', 'escort_medical', 'escort_walk', "
    "'repair', 'companionship', 'bathing', 'haircut', 'farm_work', 'urgent_help')"
)
REQUEST_STATE_KNOWN = (
    "state IN ('open', 'offered', 'assigned', 'in_progress', 'claimed', 'confirmed', "
    "'cancelled', 'expired', 'disputed')"
)


def upgrade() -> None:
    op.create_table(
        "village_group",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_village_group")),
        sa.UniqueConstraint("name", name=op.f("uq_village_group_name")),
    )
    op.create_table(
        "lane",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=80), nullable=False),
        sa.Column("group_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["group_id"], ["village_group.id"], name=op.f("fk_lane_group_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lane")),
        sa.UniqueConstraint("name", name=op.f("uq_lane_name")),
    )
    op.create_table(
        "member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("nickname", sa.String(length=40), nullable=True),
        sa.Column("birth_year", sa.Integer(), nullable=True),
        sa.Column("lane_id", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(length=120), server_default="", nullable=False),
        sa.Column("is_coordinator", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("lives_alone", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("takes_tasks", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("pace", sa.Integer(), server_default="160", nullable=False),
        sa.Column("gain", sa.Integer(), server_default="100", nullable=False),
        sa.Column("link_serial", sa.Integer(), server_default="1", nullable=False),
        sa.Column("joined_at", sa.DateTime(), nullable=False),
        sa.Column("left_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint("gain BETWEEN 50 AND 300", name=op.f("ck_member_gain_audible")),
        sa.CheckConstraint("length(trim(name)) > 0", name=op.f("ck_member_name_not_empty")),
        sa.CheckConstraint("pace BETWEEN 100 AND 240", name=op.f("ck_member_pace_speakable")),
        sa.ForeignKeyConstraint(["lane_id"], ["lane.id"], name=op.f("fk_member_lane_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
    )
    op.create_index(op.f("ix_member_lane_id"), "member", ["lane_id"], unique=False)
    op.create_index(op.f("ix_member_name"), "member", ["name"], unique=False)
    op.create_table(
        "account",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(kind = 'member') = (member_id IS NOT NULL)", name=op.f("ck_account_member_has_owner")
        ),
        sa.CheckConstraint(
            "kind IN ('member', 'fund', 'system')", name=op.f("ck_account_kind_known")
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_account_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("member_id", name=op.f("uq_account_member_id")),
    )
    op.create_index(
        "uq_account_village",
        "account",
        ["kind"],
        unique=True,
        sqlite_where=sa.text("kind <> 'member'"),
        postgresql_where=sa.text("kind <> 'member'"),
    )
    op.create_table(
        "alert",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("turn_id", sa.String(length=120), nullable=False),
        sa.Column("raised_at", sa.DateTime(), nullable=False),
        sa.Column("taken_by_id", sa.Integer(), nullable=True),
        sa.Column("taken_at", sa.DateTime(), nullable=True),
        sa.Column("closed_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint(
            "kind IN ('emergency', 'missed_check_in')", name=op.f("ck_alert_kind_known")
        ),
        sa.CheckConstraint(
            "state IN ('raised', 'taken', 'closed')", name=op.f("ck_alert_state_known")
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_alert_member_id")),
        sa.ForeignKeyConstraint(["taken_by_id"], ["member.id"], name=op.f("fk_alert_taken_by_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert")),
        sa.UniqueConstraint("turn_id", name=op.f("uq_alert_turn_id")),
    )
    op.create_index(op.f("ix_alert_state"), "alert", ["state"], unique=False)
    op.create_table(
        "notice",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("recipient_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("dedupe_key", sa.String(length=160), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("delivered_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint("state IN ('queued', 'delivered')", name=op.f("ck_notice_state_known")),
        sa.ForeignKeyConstraint(
            ["recipient_id"], ["member.id"], name=op.f("fk_notice_recipient_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notice")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_notice_dedupe_key")),
    )
    op.create_index(op.f("ix_notice_recipient_id"), "notice", ["recipient_id"], unique=False)
    op.create_index(op.f("ix_notice_state"), "notice", ["state"], unique=False)
    op.create_table(
        "relation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("other_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("label", sa.String(length=20), server_default="", nullable=False),
        sa.CheckConstraint(
            "kind IN ('spouse', 'kin', 'neighbour')", name=op.f("ck_relation_kind_known")
        ),
        sa.CheckConstraint("member_id <> other_id", name=op.f("ck_relation_two_people")),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_relation_member_id")),
        sa.ForeignKeyConstraint(["other_id"], ["member.id"], name=op.f("fk_relation_other_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relation")),
        sa.UniqueConstraint("member_id", "other_id", name=op.f("uq_relation_member_id_other_id")),
    )
    op.create_index(op.f("ix_relation_other_id"), "relation", ["other_id"], unique=False)
    op.create_table(
        "service_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("elder_id", sa.Integer(), nullable=False),
        sa.Column("requested_by_id", sa.Integer(), nullable=False),
        sa.Column("service_kind", sa.String(length=32), nullable=False),
        sa.Column("starts_at", sa.DateTime(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("place", sa.String(length=120), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("turn_id", sa.String(length=120), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.Column("end_reason", sa.String(length=80), server_default="", nullable=False),
        sa.CheckConstraint(
            SERVICE_KIND_KNOWN,
            name=op.f("ck_service_request_service_kind_known"),
        ),
        sa.CheckConstraint(
            REQUEST_STATE_KNOWN,
            name=op.f("ck_service_request_state_known"),
        ),
        sa.CheckConstraint(
            "minutes BETWEEN 1 AND 1440", name=op.f("ck_service_request_minutes_of_a_day")
        ),
        sa.ForeignKeyConstraint(
            ["elder_id"], ["member.id"], name=op.f("fk_service_request_elder_id")
        ),
        sa.ForeignKeyConstraint(
            ["requested_by_id"], ["member.id"], name=op.f("fk_service_request_requested_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_request")),
        sa.UniqueConstraint("turn_id", name=op.f("uq_service_request_turn_id")),
    )
    op.create_index(
        op.f("ix_service_request_elder_id"), "service_request", ["elder_id"], unique=False
    )
    op.create_index(op.f("ix_service_request_state"), "service_request", ["state"], unique=False)
    op.create_table(
        "skill",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("service_kind", sa.String(length=32), nullable=False),
        sa.Column("trained", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint(
            SERVICE_KIND_KNOWN,
            name=op.f("ck_skill_service_kind_known"),
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_skill_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_skill")),
        sa.UniqueConstraint(
            "member_id", "service_kind", name=op.f("uq_skill_member_id_service_kind")
        ),
    )
    op.create_index(op.f("ix_skill_service_kind"), "skill", ["service_kind"], unique=False)
    op.create_table(
        "turn",
        sa.Column("id", sa.String(length=120), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("channel", sa.String(length=20), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("code", sa.String(length=40), server_default="", nullable=False),
        sa.Column("recording_path", sa.String(length=240), nullable=True),
        sa.Column("recording_sha256", sa.String(length=64), nullable=True),
        sa.Column("heard", sa.Text(), server_default="", nullable=False),
        sa.Column("heard_confidence", sa.Float(), nullable=True),
        sa.Column("engine", sa.String(length=40), server_default="", nullable=False),
        sa.Column("intent", sa.String(length=40), server_default="", nullable=False),
        sa.Column("intent_confidence", sa.Float(), nullable=True),
        sa.Column("entities", sa.JSON(), nullable=False),
        sa.Column("reply", sa.Text(), server_default="", nullable=False),
        sa.Column("buttons", sa.JSON(), nullable=False),
        sa.Column("stage_ms", sa.JSON(), nullable=False),
        sa.Column("began_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint(
            "outcome IN ('begun', 'answered', 'repaired', 'refused', 'failed')",
            name=op.f("ck_turn_outcome_known"),
        ),
        sa.ForeignKeyConstraint(["member_id"], ["member.id"], name=op.f("fk_turn_member_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_turn")),
    )
    op.create_index(op.f("ix_turn_began_at"), "turn", ["began_at"], unique=False)
    op.create_index(op.f("ix_turn_member_id"), "turn", ["member_id"], unique=False)
    op.create_index(op.f("ix_turn_outcome"), "turn", ["outcome"], unique=False)
    op.create_table(
        "dispute",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=True),
        sa.Column("opened_by_id", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), server_default="", nullable=False),
        sa.Column("turn_id", sa.String(length=120), nullable=False),
        sa.Column("claimed_minutes", sa.Integer(), nullable=True),
        sa.Column("confirmed_minutes", sa.Integer(), nullable=True),
        sa.Column("opened_at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("resolved_by_id", sa.Integer(), nullable=True),
        sa.Column("resolved_at", sa.DateTime(), nullable=True),
        sa.Column("resolution", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint(
            "(state = 'resolved') = (resolved_at IS NOT NULL)", name=op.f("ck_dispute_resolved_at")
        ),
        sa.CheckConstraint(
            "kind IN ('minutes_differ', 'no_show', 'complaint')", name=op.f("ck_dispute_kind_known")
        ),
        sa.CheckConstraint("state IN ('open', 'resolved')", name=op.f("ck_dispute_state_known")),
        sa.ForeignKeyConstraint(
            ["opened_by_id"], ["member.id"], name=op.f("fk_dispute_opened_by_id")
        ),
        sa.ForeignKeyConstraint(
            ["request_id"], ["service_request.id"], name=op.f("fk_dispute_request_id")
        ),
        sa.ForeignKeyConstraint(
            ["resolved_by_id"], ["member.id"], name=op.f("fk_dispute_resolved_by_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_dispute")),
        sa.UniqueConstraint("turn_id", name=op.f("uq_dispute_turn_id")),
    )
    op.create_index(op.f("ix_dispute_request_id"), "dispute", ["request_id"], unique=False)
    op.create_index(op.f("ix_dispute_state"), "dispute", ["state"], unique=False)
    op.create_table(
        "offer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("helper_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("why", sa.JSON(), nullable=False),
        sa.Column("offered_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("answered_at", sa.DateTime(), nullable=True),
        sa.Column("decline_reason", sa.String(length=120), server_default="", nullable=False),
        sa.CheckConstraint(
            "state IN ('pending', 'accepted', 'declined', 'expired', 'withdrawn')",
            name=op.f("ck_offer_state_known"),
        ),
        sa.ForeignKeyConstraint(["helper_id"], ["member.id"], name=op.f("fk_offer_helper_id")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["service_request.id"], name=op.f("fk_offer_request_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_offer")),
    )
    op.create_index(op.f("ix_offer_helper_id"), "offer", ["helper_id"], unique=False)
    op.create_index(op.f("ix_offer_request_id"), "offer", ["request_id"], unique=False)
    op.create_index(
        "uq_offer_one_pending",
        "offer",
        ["request_id"],
        unique=True,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "assignment",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("request_id", sa.Integer(), nullable=False),
        sa.Column("offer_id", sa.Integer(), nullable=False),
        sa.Column("helper_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("accepted_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint(
            "state IN ('active', 'done', 'released')", name=op.f("ck_assignment_state_known")
        ),
        sa.ForeignKeyConstraint(["helper_id"], ["member.id"], name=op.f("fk_assignment_helper_id")),
        sa.ForeignKeyConstraint(["offer_id"], ["offer.id"], name=op.f("fk_assignment_offer_id")),
        sa.ForeignKeyConstraint(
            ["request_id"], ["service_request.id"], name=op.f("fk_assignment_request_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_assignment")),
        sa.UniqueConstraint("offer_id", name=op.f("uq_assignment_offer_id")),
    )
    op.create_index(op.f("ix_assignment_helper_id"), "assignment", ["helper_id"], unique=False)
    op.create_index(op.f("ix_assignment_request_id"), "assignment", ["request_id"], unique=False)
    op.create_index(
        "uq_assignment_one_active",
        "assignment",
        ["request_id"],
        unique=True,
        sqlite_where=sa.text("state = 'active'"),
        postgresql_where=sa.text("state = 'active'"),
    )
    op.create_table(
        "hold",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("assignment_id", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("ended_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint(
            "(state = 'pending') = (ended_at IS NULL)", name=op.f("ck_hold_ends_once")
        ),
        sa.CheckConstraint(
            "state IN ('pending', 'posted', 'voided', 'expired')", name=op.f("ck_hold_state_known")
        ),
        sa.CheckConstraint("minutes > 0", name=op.f("ck_hold_holds_something")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_hold_account_id")),
        sa.ForeignKeyConstraint(
            ["assignment_id"], ["assignment.id"], name=op.f("fk_hold_assignment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    op.create_index(op.f("ix_hold_account_id"), "hold", ["account_id"], unique=False)
    op.create_index(op.f("ix_hold_assignment_id"), "hold", ["assignment_id"], unique=False)
    op.create_index(
        "uq_hold_one_pending",
        "hold",
        ["assignment_id", "account_id"],
        unique=True,
        sqlite_where=sa.text("state = 'pending'"),
        postgresql_where=sa.text("state = 'pending'"),
    )
    op.create_table(
        "visit",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("assignment_id", sa.Integer(), nullable=False),
        sa.Column("checked_in_at", sa.DateTime(), nullable=True),
        sa.Column("checked_out_at", sa.DateTime(), nullable=True),
        sa.Column("settled_minutes", sa.Integer(), nullable=True),
        sa.Column("settled_at", sa.DateTime(), nullable=True),
        sa.CheckConstraint(
            "(settled_minutes IS NULL) = (settled_at IS NULL)",
            name=op.f("ck_visit_settled_with_a_time"),
        ),
        sa.CheckConstraint(
            "settled_minutes BETWEEN 0 AND 1440", name=op.f("ck_visit_minutes_of_a_day")
        ),
        sa.ForeignKeyConstraint(
            ["assignment_id"], ["assignment.id"], name=op.f("fk_visit_assignment_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visit")),
        sa.UniqueConstraint("assignment_id", name=op.f("uq_visit_assignment_id")),
    )
    op.create_table(
        "confirmation",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=False),
        sa.Column("party", sa.String(length=32), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.Column("turn_id", sa.String(length=120), nullable=False),
        sa.Column("evidence_sha256", sa.String(length=64), nullable=True),
        sa.Column("made_at", sa.DateTime(), nullable=False),
        sa.CheckConstraint(
            "party IN ('elder', 'helper')", name=op.f("ck_confirmation_party_known")
        ),
        sa.CheckConstraint(
            "minutes BETWEEN 0 AND 1440", name=op.f("ck_confirmation_minutes_of_a_day")
        ),
        sa.ForeignKeyConstraint(
            ["member_id"], ["member.id"], name=op.f("fk_confirmation_member_id")
        ),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_confirmation_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmation")),
        sa.UniqueConstraint("visit_id", "party", name=op.f("uq_confirmation_visit_id_party")),
    )
    op.create_table(
        "transfer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("sequence", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("visit_id", sa.Integer(), nullable=True),
        sa.Column("reverses_id", sa.Integer(), nullable=True),
        sa.Column("turn_id", sa.String(length=120), nullable=True),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("idempotency_key", sa.String(length=160), nullable=False),
        sa.Column("occurred_at", sa.DateTime(), nullable=False),
        sa.Column("previous_hash", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.CheckConstraint(
            "(kind = 'reversal') = (reverses_id IS NOT NULL)",
            name=op.f("ck_transfer_names_the_wrong"),
        ),
        sa.CheckConstraint(
            "(kind = 'settlement') = (visit_id IS NOT NULL)",
            name=op.f("ck_transfer_settles_a_visit"),
        ),
        sa.CheckConstraint(
            "kind IN ('settlement', 'gift', 'reissue', 'reversal')",
            name=op.f("ck_transfer_kind_known"),
        ),
        sa.ForeignKeyConstraint(
            ["reverses_id"], ["transfer.id"], name=op.f("fk_transfer_reverses_id")
        ),
        sa.ForeignKeyConstraint(["visit_id"], ["visit.id"], name=op.f("fk_transfer_visit_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_transfer")),
        sa.UniqueConstraint("hash", name=op.f("uq_transfer_hash")),
        sa.UniqueConstraint("idempotency_key", name=op.f("uq_transfer_idempotency_key")),
        sa.UniqueConstraint("reverses_id", name=op.f("uq_transfer_reverses_id")),
        sa.UniqueConstraint("sequence", name=op.f("uq_transfer_sequence")),
        sa.UniqueConstraint("visit_id", name=op.f("uq_transfer_visit_id")),
    )
    op.create_table(
        "posting",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("transfer_id", sa.Integer(), nullable=False),
        sa.Column("account_id", sa.Integer(), nullable=False),
        sa.Column("minutes", sa.Integer(), nullable=False),
        sa.CheckConstraint("minutes <> 0", name=op.f("ck_posting_moves_something")),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_posting_account_id")),
        sa.ForeignKeyConstraint(
            ["transfer_id"], ["transfer.id"], name=op.f("fk_posting_transfer_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_posting")),
        sa.UniqueConstraint(
            "transfer_id", "account_id", name=op.f("uq_posting_transfer_id_account_id")
        ),
    )
    op.create_index(op.f("ix_posting_account_id"), "posting", ["account_id"], unique=False)


def downgrade() -> None:
    """Only for an empty village: every row goes with the tables."""
    op.drop_table("posting")
    op.drop_table("transfer")
    op.drop_table("confirmation")
    op.drop_table("visit")
    op.drop_table("hold")
    op.drop_table("assignment")
    op.drop_table("offer")
    op.drop_table("dispute")
    op.drop_table("turn")
    op.drop_table("skill")
    op.drop_table("service_request")
    op.drop_table("relation")
    op.drop_table("notice")
    op.drop_table("alert")
    op.drop_table("account")
    op.drop_table("member")
    op.drop_table("lane")
    op.drop_table("village_group")
