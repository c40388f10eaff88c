"""One proposes, another lets it happen, once, and nobody decides about his own hours."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions.timebank import ledger, schema
from actions.timebank.errors import (
    BadMinutes,
    ChangedMeanwhile,
    NotEnoughMinutes,
    NotForSelf,
    NothingOpen,
    NotYours,
    Refusal,
    SamePerson,
    UnknownMember,
    WrongState,
)
from actions.timebank.ids import AccountId, MemberId, ProposalId, TransferId
from actions.timebank.model import Member, Notice, Posting, Proposal, Transfer
from actions.timebank.session import Village, open_engine
from actions.timebank.staff import accounts, movements, proposals
from actions.timebank.staff.roles import Role
from actions.timebank.staff.states import (
    ProposalState,
)
from actions.timebank.states import AccountKind, ServiceKind, TransferKind
from tests.timebank.builders import MORNING
from tests.timebank.neighbourhood import Neighbourhood, settle_in
from tests.timebank.staff.desk import hired

WHY = "那天张秀英没来"


@dataclass
class Office:
    """The street with 李会计, who keeps the books, and two who can let things happen."""

    hood: Neighbourhood
    books: MemberId
    mediator: MemberId
    coordinator: MemberId

    @property
    def session(self) -> Session:
        return self.hood.session

    def visit(self, minutes: int = 60) -> TransferId:
        """张秀英 was with 王奶奶; gives the transfer that paid for it."""
        self.hood.visited(minutes)
        return TransferId(ledger.head(self.session).sequence)

    def reversal(self, transfer_id: TransferId, reason: str = WHY) -> ProposalId:
        made = proposals.propose_reversal(
            self.session, by=self.books, transfer_id=transfer_id, reason=reason, now=MORNING
        )
        return ProposalId(made.id)

    def grant(self, to: Member | None, minutes: int, **more: object) -> ProposalId:
        account = (
            ledger.fund_account(self.session)
            if to is None
            else ledger.account_of(self.session, MemberId(to.id))
        )
        made = proposals.propose_grant(
            self.session,
            **{"by": self.books, "reason": "干不动了", "now": MORNING, **more},
            account_id=AccountId(account.id),
            minutes=minutes,
        )
        return ProposalId(made.id)

    def approve(self, proposal_id: ProposalId, **more: object) -> Proposal:
        asked = {"by": self.mediator, "now": MORNING, **more}
        return proposals.approve(self.session, proposal_id=proposal_id, **asked)

    def posted(self, member: Member) -> int:
        return self.hood.balance(member).posted


def furnish(session: Session) -> Office:
    return Office(
        hood=settle_in(session, MORNING),
        books=hired(session, "李会计", Role.BOOKKEEPER),
        mediator=hired(session, "孙主任", Role.MEDIATOR),
        coordinator=hired(session, "周干事", Role.COORDINATOR),
    )


@pytest.fixture
def office(session: Session) -> Office:
    return furnish(session)


# -- two people -------------------------------------------------------------------------------


def test_a_wrong_visit_is_undone_by_two_people(office: Office) -> None:
    wrong = office.visit(60)
    proposal = office.reversal(wrong)
    assert office.posted(office.hood.wang) == 60, "nothing moves before the second yes"
    done = office.approve(proposal)
    assert (office.posted(office.hood.wang), office.posted(office.hood.zhang)) == (120, 0)
    moved = office.session.get(Transfer, done.transfer_id)
    assert (moved.kind, moved.reverses_id, moved.reason) == (TransferKind.REVERSAL, wrong, WHY)
    assert ledger.verify(office.session).intact


def test_who_proposed_it_cannot_let_it_happen(office: Office) -> None:
    proposal = office.reversal(office.visit())
    with pytest.raises(SamePerson):
        office.approve(proposal, by=office.books)
    with pytest.raises(SamePerson):
        proposals.reject(
            office.session, proposal_id=proposal, by=office.books, answer="不对", now=MORNING
        )


@pytest.mark.parametrize("who", ["wang", "zhang"])
def test_nobody_proposes_or_approves_about_his_own_hours(office: Office, who: str) -> None:
    party = MemberId(getattr(office.hood, who).id)
    roles, session = [Role.BOOKKEEPER], office.session
    accounts.make(session, member=party, login="party", roles=roles, password_hash="x", now=MORNING)
    wrong = office.visit()
    with pytest.raises(NotForSelf):
        proposals.propose_reversal(session, by=party, transfer_id=wrong, reason=WHY, now=MORNING)
    proposal = office.reversal(wrong)
    for decide in (proposals.approve, proposals.reject):
        more = {"answer": "不"} if decide is proposals.reject else {}
        with pytest.raises(NotForSelf):
            decide(session, proposal_id=proposal, by=party, now=MORNING, **more)
    with pytest.raises(NotForSelf):
        office.grant(getattr(office.hood, who), 60, by=party)


def test_the_elder_is_a_party_though_the_fund_paid_for_her(office: Office) -> None:
    hood = office.hood
    first = ledger.gift(
        office.session,
        giver=MemberId(hood.wang.id),
        receiver=None,
        minutes=120,
        idempotency_key="all of it",
        now=MORNING,
    )
    assert first.kind is TransferKind.GIFT
    hood.visited(30, service_kind=ServiceKind.MEALS)
    made = proposals.proposal(
        office.session, office.reversal(TransferId(ledger.head(office.session).sequence))
    )
    assert {hood.wang.id, hood.zhang.id} <= proposals.parties(office.session, made)


@pytest.mark.parametrize("name", ["wang", "coordinator", "nobody"])
def test_only_who_keeps_the_books_proposes(office: Office, name: str) -> None:
    people = {"wang": office.hood.wang.id, "coordinator": office.coordinator, "nobody": 99_999}
    with pytest.raises(NotYours):
        proposals.propose_reversal(
            office.session, by=people[name], transfer_id=office.visit(), reason=WHY, now=MORNING
        )


def test_only_staff_who_may_let_it_happen(office: Office) -> None:
    proposal = office.reversal(office.visit())
    viewer = hired(office.session, "看看", Role.VIEWER, Role.ADMINISTRATOR)
    with pytest.raises(NotYours):
        office.approve(proposal, by=viewer)
    assert office.approve(proposal, by=office.coordinator).state is ProposalState.APPROVED


# -- once -------------------------------------------------------------------------------------


def test_the_second_yes_is_told_that_it_is_done(office: Office) -> None:
    proposal = office.reversal(office.visit())
    office.approve(proposal)
    with pytest.raises(WrongState) as refused:
        office.approve(proposal, by=office.coordinator)
    assert refused.value.facts == {"state": ProposalState.APPROVED, "by": "孙主任"}
    assert office.posted(office.hood.wang) == 120


@pytest.mark.parametrize("end", ["rejected", "withdrawn"])
def test_what_was_refused_or_taken_back_never_happens(office: Office, end: str) -> None:
    session, proposal = office.session, office.reversal(office.visit())
    if end == "rejected":
        decided = proposals.reject(
            session, proposal_id=proposal, by=office.mediator, answer="来过的", now=MORNING
        )
        assert decided.answer == "来过的"
    else:
        with pytest.raises(NotYours):
            proposals.withdraw(session, proposal_id=proposal, by=office.mediator, now=MORNING)
        decided = proposals.withdraw(session, proposal_id=proposal, by=office.books, now=MORNING)
    assert decided.state.value == end
    with pytest.raises(WrongState):
        office.approve(proposal)
    assert office.posted(office.hood.wang) == 60


def test_it_is_proposed_once_at_a_time_and_again_after_a_no(office: Office) -> None:
    wrong = office.visit()
    first = office.reversal(wrong)
    with pytest.raises(WrongState) as refused:
        office.reversal(wrong)
    assert refused.value.facts["state"] is ProposalState.PROPOSED
    proposals.withdraw(office.session, proposal_id=first, by=office.books, now=MORNING)
    office.approve(office.reversal(wrong))


def test_what_is_undone_is_not_undone_again_nor_the_undoing(office: Office) -> None:
    wrong = office.visit()
    undone = office.approve(office.reversal(wrong)).transfer_id
    for transfer_id, state in ((wrong, "reversed"), (undone, "reversal")):
        with pytest.raises(WrongState) as refused:
            office.reversal(transfer_id)
        assert refused.value.facts["state"] == state
    with pytest.raises(NothingOpen):
        office.reversal(TransferId(99_999))


def test_what_was_undone_meanwhile_is_not_undone_by_the_yes(office: Office) -> None:
    wrong = office.visit()
    proposal = office.reversal(wrong)
    ledger.reverse(
        office.session, transfer_id=wrong, reason="x", idempotency_key="else", now=MORNING
    )
    with pytest.raises(WrongState):
        office.approve(proposal)
    made = proposals.proposal(office.session, proposal)
    assert made.state is ProposalState.PROPOSED
    assert proposals.obstacle(office.session, made).facts["state"] == "reversed"


# -- what will happen -------------------------------------------------------------------------


def test_the_second_person_sees_what_will_happen(office: Office) -> None:
    made = proposals.proposal(office.session, office.reversal(office.visit(60)))
    seen = proposals.effects(office.session, made)
    assert [(one.name, one.before, one.after) for one in seen] == [
        ("张秀英", 60, 0),
        ("王奶奶", 60, 120),
    ]
    office.approve(ProposalId(made.id), seen=proposals.balances_after(seen))


def test_hours_that_moved_meanwhile_are_looked_at_again(office: Office) -> None:
    made = proposals.proposal(office.session, office.reversal(office.visit(30)))
    seen = proposals.balances_after(proposals.effects(office.session, made))
    office.visit(30)
    with pytest.raises(ChangedMeanwhile):
        office.approve(ProposalId(made.id), seen=seen)
    assert made.state is ProposalState.PROPOSED


def test_a_mistake_is_undone_even_when_its_hours_are_spent(office: Office) -> None:
    hood, wrong = office.hood, office.visit(60)
    ledger.gift(
        office.session,
        giver=MemberId(hood.zhang.id),
        receiver=None,
        minutes=60,
        idempotency_key="spent",
        now=MORNING,
    )
    made = proposals.proposal(office.session, office.reversal(wrong))
    [owing] = [one for one in proposals.effects(office.session, made) if one.below_zero]
    assert (owing.name, owing.after) == ("张秀英", -60)
    office.approve(ProposalId(made.id))
    [told] = hood.notices(hood.zhang, "hours_corrected_down_owing")
    assert (told["owed"], told["minutes"]) == (60, 60)


def test_everybody_concerned_is_told_who_and_why(office: Office) -> None:
    office.approve(office.reversal(office.visit(60)))
    hood = office.hood
    [told] = hood.notices(hood.wang, "hours_corrected_up")
    assert (told["proposer"], told["approver"], told["reason"]) == ("李会计", "孙主任", WHY)
    assert (told["minutes"], told["balance"]) == (60, 120)
    [told] = hood.notices(hood.zhang, "hours_corrected_down")
    assert told["balance"] == 0


# -- grants -----------------------------------------------------------------------------------


def test_hours_are_issued_to_who_cannot_work_any_more(office: Office) -> None:
    hood = office.hood
    office.approve(office.grant(hood.wang, 90))
    assert office.posted(hood.wang) == 210
    [told] = hood.notices(hood.wang, "hours_granted")
    assert (told["minutes"], told["balance"]) == (90, 210)


def test_the_fund_is_filled_and_gives(office: Office) -> None:
    hood = office.hood
    office.approve(office.grant(None, 600))
    assert hood.fund().posted == 600
    office.approve(office.grant(hood.wang, 90, source=AccountKind.FUND))
    assert (hood.fund().posted, office.posted(hood.wang)) == (510, 210)
    with pytest.raises(NotEnoughMinutes):
        office.grant(hood.wang, 511, source=AccountKind.FUND)


def test_the_fund_may_be_empty_by_the_time_of_the_yes(office: Office) -> None:
    office.approve(office.grant(None, 100))
    first, second = (office.grant(office.hood.wang, 60, source=AccountKind.FUND) for _ in "ab")
    office.approve(first)
    with pytest.raises(NotEnoughMinutes):
        office.approve(second)
    assert office.hood.fund().posted == 40


@pytest.mark.parametrize("minutes", [0, -1, movements.MOST_TO_A_MEMBER + 1, 2**40])
def test_nobody_is_granted_a_mistyped_number(office: Office, minutes: int) -> None:
    with pytest.raises(BadMinutes) as refused:
        office.grant(office.hood.wang, minutes)
    assert refused.value.facts["most"] == movements.MOST_TO_A_MEMBER


def test_who_has_left_and_what_is_no_account_gets_nothing(office: Office) -> None:
    office.hood.zhao.left_at = MORNING
    office.session.flush()
    with pytest.raises(UnknownMember):
        office.grant(office.hood.zhao, 60)
    system = ledger.system_account(office.session).id
    fund = ledger.fund_account(office.session).id
    for account, source in (
        (99_999, AccountKind.SYSTEM),
        (system, AccountKind.SYSTEM),
        (fund, AccountKind.FUND),
        (fund, AccountKind.MEMBER),
    ):
        with pytest.raises(NothingOpen):
            proposals.propose_grant(
                office.session,
                by=office.books,
                account_id=AccountId(account),
                minutes=60,
                reason="给",
                source=source,
                now=MORNING,
            )


@pytest.mark.parametrize("reason", ["", "  \n ", "长" * (proposals.LONGEST_REASON + 1)])
def test_a_movement_has_a_reason_that_can_be_told(office: Office, reason: str) -> None:
    with pytest.raises(proposals.ReasonNeeded):
        office.reversal(office.visit(), reason)
    proposal = office.grant(office.hood.wang, 60)
    with pytest.raises(proposals.ReasonNeeded):
        proposals.reject(
            office.session, proposal_id=proposal, by=office.mediator, answer=reason, now=MORNING
        )


# -- the database keeps it too ----------------------------------------------------------------


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE proposal SET state='approved', decided_by_id=proposed_by_id,"
        " decided_at=proposed_at, transfer_id=1",
        "UPDATE proposal SET state='approved', decided_by_id=1, decided_at=proposed_at",
        "UPDATE proposal SET state='rejected', decided_by_id=1, decided_at=proposed_at,"
        " transfer_id=1",
        "UPDATE proposal SET state='withdrawn', decided_by_id=1, decided_at=proposed_at",
        "UPDATE proposal SET minutes=6000",
        "UPDATE proposal SET reason='x'",
        "DELETE FROM proposal",
        "INSERT INTO proposal (kind, reason, proposed_by_id, proposed_at, state)"
        " VALUES ('grant', 'x', 1, '2026-03-02', 'proposed')",
        "INSERT INTO proposal (kind, account_id, source, minutes, reason, proposed_by_id,"
        " proposed_at, state) VALUES ('grant', 1, 'fund', 5, '  ', 1, '2026-03-02', 'proposed')",
    ],
)
def test_the_database_itself_wants_two_people(office: Office, statement: str) -> None:
    office.grant(office.hood.wang, 60)
    with pytest.raises(IntegrityError), office.session.begin_nested():
        office.session.execute(text(statement))


def test_what_is_decided_stays_decided(office: Office) -> None:
    proposal = office.grant(office.hood.wang, 60)
    proposals.withdraw(office.session, proposal_id=proposal, by=office.books, now=MORNING)
    with pytest.raises(IntegrityError), office.session.begin_nested():
        office.session.execute(
            text("UPDATE proposal SET state='proposed', decided_by_id=NULL, decided_at=NULL")
        )


# -- at the same time -------------------------------------------------------------------------


def test_of_two_who_say_yes_at_once_one_is_told(any_village: Village) -> None:
    with any_village.transaction() as session:
        office = furnish(session)
        proposal = office.reversal(office.visit())
        deciders = [office.mediator, office.coordinator] * 3
        wang = MemberId(office.hood.wang.id)
    start, ends = threading.Barrier(len(deciders)), []

    def say_yes(by: MemberId) -> None:
        start.wait()
        try:
            with any_village.transaction() as session:
                proposals.approve(session, proposal_id=proposal, by=by, now=MORNING)
            ends.append("done")
        except WrongState:
            ends.append("told")

    threads = [threading.Thread(target=say_yes, args=(by,)) for by in deciders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(ends) == ["done"] + ["told"] * 5
    with any_village.reading() as session:
        account = ledger.account_of(session, wang)
        assert ledger.balance(session, AccountId(account.id)).posted == 120
        assert ledger.verify(session).intact
        told = select(func.count()).select_from(Notice).where(Notice.kind == "hours_corrected_up")
        assert session.execute(told).scalar_one() == 1


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["visit", "reverse", "grant", "fund", "approve", "reject", "withdraw"]),
        st.integers(0, 9),
        st.integers(1, 90),
    ),
    max_size=25,
)


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Village]:
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('proposals') / 'village.db'}")
    schema.upgrade(engine)
    yield Village(engine, lambda: MORNING)
    engine.dispose()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=STEPS)
def test_whatever_staff_do_the_sum_is_zero_and_each_yes_moves_once(
    furnished: Village, steps: list[tuple[str, int, int]]
) -> None:
    with Session(furnished.engine, future=True) as session:
        office = furnish(session)
        made: list[ProposalId] = []
        for deed, which, minutes in steps:
            with contextlib.suppress(Refusal):
                _step(office, made, deed, which, minutes)
        assert session.execute(select(func.sum(Posting.minutes))).scalar_one() == 0
        assert ledger.verify(session).intact
        approved = session.execute(
            select(Proposal.transfer_id).where(Proposal.state == ProposalState.APPROVED)
        ).scalars()
        moved = session.execute(
            select(Transfer.id).where(Transfer.idempotency_key.like("proposal:%"))
        ).scalars()
        assert sorted(approved) == sorted(moved)
        session.rollback()


def _step(office: Office, made: list[ProposalId], deed: str, which: int, minutes: int) -> None:
    session = office.session
    if deed == "visit":
        with session.begin_nested():
            office.visit(minutes)
    elif deed == "reverse":
        newest = ledger.head(session).sequence
        made.append(office.reversal(TransferId(max(1, newest - which))))
    elif deed == "grant":
        source = AccountKind.FUND if which % 2 else AccountKind.SYSTEM
        made.append(office.grant(office.hood.wang, minutes, source=source))
    elif deed == "fund":
        made.append(office.grant(None, minutes))
    elif made:
        proposal, now = made[which % len(made)], MORNING
        if deed == "approve":
            office.approve(proposal)
        elif deed == "reject":
            by = office.mediator
            proposals.reject(session, proposal_id=proposal, by=by, answer="不对", now=now)
        else:
            proposals.withdraw(session, proposal_id=proposal, by=office.books, now=now)
