"""What staff wrote and decided stays as it was: the database refuses anything else.

Checks of the chain, calls back, notes on turns and what was told in person are only ever added. A
decision about training keeps what was decided and by whom; it can be withdrawn. A broadcast's words
and whom it is for stand still once a second person may have read them.
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

ADDED = ("chain_check", "call_back", "turn_note", "broadcast_visit")

DECIDED = "correction_id, written_by_id, said, by_id, at"
DECIDED_OTHERWISE = "NOT (OLD.state = 'accepted' AND NEW.state = 'withdrawn')"
BROADCAST = (
    "words, spoken_seconds, audience, group_id, lane_id, version, written_by_id, written_at, "
    "heard_at"
)
PROPOSED = "OLD.state <> 'draft'"
OVER = "OLD.state IN ('sent', 'rejected', 'withdrawn', 'stopped')"
WAS_DECIDED = "OLD.decided_by_id IS NOT NULL"
ITS_STATE = "(SELECT state FROM broadcast WHERE id = {row}.broadcast_id)"
HAD_LISTENER = ITS_STATE.format(row="OLD") + " <> 'draft'"
# Everybody it goes to is written down when it is approved.
NO_NEW_LISTENER = ITS_STATE.format(row="NEW") + " NOT IN ('draft', 'sending')"

GUARDS = (
    # name, table, event, when it is refused
    *((f"{table}_stays", table, "UPDATE", "TRUE") for table in ADDED),
    *((f"{table}_remains", table, "DELETE", "TRUE") for table in ADDED),
    ("training_decision_content", "training_decision", f"UPDATE OF {DECIDED}", "TRUE"),
    ("training_decision_state", "training_decision", "UPDATE OF state", DECIDED_OTHERWISE),
    ("training_decision_remains", "training_decision", "DELETE", "TRUE"),
    ("broadcast_content", "broadcast", f"UPDATE OF {BROADCAST}", PROPOSED),
    ("broadcast_decision", "broadcast", "UPDATE OF decided_by_id, decided_at", WAS_DECIDED),
    ("broadcast_over", "broadcast", "UPDATE", OVER),
    ("broadcast_remains", "broadcast", "DELETE", "TRUE"),
    ("broadcast_listener_comes", "broadcast_listener", "INSERT", NO_NEW_LISTENER),
    ("broadcast_listener_stays", "broadcast_listener", "UPDATE", HAD_LISTENER),
    ("broadcast_listener_remains", "broadcast_listener", "DELETE", HAD_LISTENER),
)

MESSAGE = "what staff wrote and decided stays"

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
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    guard = SQLITE_GUARD if on_sqlite else POSTGRESQL_GUARD
    for name, table, event, refused in GUARDS:
        op.execute(
            guard.format(name=name, table=table, event=event, refused=refused, message=MESSAGE)
        )


def downgrade() -> None:
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    for name, *_ in GUARDS:
        if on_sqlite:
            op.execute(f"DROP TRIGGER {name}")
        else:
            op.execute(f"DROP FUNCTION {name}() CASCADE")
