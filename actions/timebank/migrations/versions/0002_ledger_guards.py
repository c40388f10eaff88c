"""The database itself keeps the ledger: rows of `transfer` and `posting` are only ever added.

Transfers are numbered 1, 2, 3… without gaps, and legs can be added to the newest one only.
PostgreSQL also checks at commit that the legs sum to zero; SQLite has no deferred trigger, so
there only the check of the chain would find it.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

NOT_NEXT = """
NEW.id <> NEW.sequence OR NEW.sequence <> (SELECT coalesce(max(sequence), 0) + 1 FROM transfer)
"""

GUARDS = (
    # name, table, event, when it is refused, what is said
    ("transfer_stays", "transfer", "UPDATE", "TRUE", "a transfer never changes"),
    ("transfer_remains", "transfer", "DELETE", "TRUE", "a transfer is never taken out"),
    ("posting_stays", "posting", "UPDATE", "TRUE", "a posting never changes"),
    ("posting_remains", "posting", "DELETE", "TRUE", "a posting is never taken out"),
    (
        "transfer_comes_next",
        "transfer",
        "INSERT",
        NOT_NEXT,
        "transfers are numbered without gaps",
    ),
    (
        "posting_comes_with_its_transfer",
        "posting",
        "INSERT",
        "NEW.transfer_id <> (SELECT max(sequence) FROM transfer)",
        "the transfer of this posting is sealed",
    ),
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

POSTGRESQL_NOT_EMPTIED = """
CREATE FUNCTION ledger_not_emptied() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is never emptied' USING ERRCODE = 'integrity_constraint_violation';
END $$;
CREATE TRIGGER transfer_not_emptied BEFORE TRUNCATE ON transfer
    EXECUTE FUNCTION ledger_not_emptied();
CREATE TRIGGER posting_not_emptied BEFORE TRUNCATE ON posting
    EXECUTE FUNCTION ledger_not_emptied()
"""

POSTGRESQL_SUMS_TO_ZERO = """
CREATE FUNCTION transfer_sums_to_zero() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT coalesce(sum(minutes), 1) FROM posting WHERE transfer_id = NEW.id) <> 0 THEN
        RAISE EXCEPTION 'the legs of transfer % do not sum to zero', NEW.id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER transfer_sums_to_zero AFTER INSERT ON transfer
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION transfer_sums_to_zero()
"""


def upgrade() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    guard = POSTGRESQL_GUARD if on_postgresql else SQLITE_GUARD
    for name, table, event, refused, message in GUARDS:
        op.execute(
            guard.format(name=name, table=table, event=event, refused=refused, message=message)
        )
    if on_postgresql:
        op.execute(POSTGRESQL_NOT_EMPTIED)
        op.execute(POSTGRESQL_SUMS_TO_ZERO)


def downgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        for name, *_ in GUARDS:
            op.execute(f"DROP TRIGGER {name}")
        return
    for name in (*(guard[0] for guard in GUARDS), "ledger_not_emptied", "transfer_sums_to_zero"):
        op.execute(f"DROP FUNCTION {name}() CASCADE")
