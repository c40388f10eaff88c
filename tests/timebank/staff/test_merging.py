"""Somebody who is in the roll twice becomes one, and nothing of what was is changed."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from actions.timebank import (
    bindings,
    check_ins,
    delegates,
    ledger,
    members,
    outbox,
    reminders,
    sparing,
)
from actions.timebank.errors import (
    NotForSelf,
    NotYours,
    SamePerson,
    UnknownMember,
    WrongState,
)
from actions.timebank.ids import MemberId
from actions.timebank.model import (
    Base,
    ChannelBinding,
    CheckIn,
    Delegation,
    HonourWish,
    JoinCard,
    Member,
    MemberPriority,
    Merge,
    Notice,
    Proposal,
    Relation,
    Reminder,
    Training,
    Transfer,
)
from actions.timebank.notices import tell
from actions.timebank.session import Village
from actions.timebank.staff import leaving, merging, proposals
from actions.timebank.staff.merging import DoubleStillOpen, Fate
from actions.timebank.staff.roles import Role
from actions.timebank.staff.states import (
    ProposalState,
)
from actions.timebank.states import (
    CardState,
    Channel,
    CheckInState,
    DayPart,
    DelegationState,
    NoticeState,
    PriorityClass,
    RelationKind,
    Rhythm,
    ServiceKind,
    TransferKind,
)
from tests.timebank.builders import MORNING, make_member
from tests.timebank.neighbourhood import Neighbourhood, new_turn, settle_in
from tests.timebank.staff.desk import hired


def test_every_column_that_names_a_member_has_its_fate() -> None:
    """A new table cannot be forgotten: say in `merging.FATES` what becomes of its rows."""
    naming = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.tables.values()
        for column in table.columns
        if any(key.column.table.name == "member" for key in column.foreign_keys)
    }
    assert naming == set(merging.FATES)


def test_what_moves_and_what_ends_is_never_left_with_the_double(
    hood: Neighbourhood, double: Member, unite: Callable[..., Merge]
) -> None:
    furnish(hood, double)
    columns = [name.split(".") for name, fate in merging.FATES.items() if fate is Fate.MOVES]
    before = {tuple(c): rows_naming(hood.session, *c, double.id) for c in columns}
    before.pop(("delivery", "member_id"))  # Only while a messenger is joined.
    assert all(before.values()), "the test furnishes none of these"
    unite()
    for column in columns:
        assert rows_naming(hood.session, *column, double.id) == 0, column


def rows_naming(session: Session, table: str, column: str, member: int) -> int:
    count = text(f"SELECT count(*) FROM {table} WHERE {column} = :member")
    return int(session.execute(count, {"member": member}).scalar_one())


def furnish(hood: Neighbourhood, double: Member) -> None:
    """A row of hers in each table that goes over."""
    session = hood.session
    members.offer_help(
        session,
        member=double.id,
        kinds=[ServiceKind.HAIRCUT, ServiceKind.MEALS],
        times=[(0, DayPart.MORNING)],
    )
    sparing.not_this_kind(
        session, helper=double.id, kind=ServiceKind.MEALS, words="腰疼", now=MORNING
    )
    session.add_all(
        [
            Relation(member_id=double.id, other_id=hood.wang.id, kind=RelationKind.NEIGHBOUR),
            Relation(member_id=hood.wang.id, other_id=double.id, kind=RelationKind.KIN),
        ]
    )
    reminders.set_reminder(
        session,
        member=double.id,
        words="吃药",
        due_at=MORNING + timedelta(hours=3),
        turn_id=new_turn(),
        now=MORNING,
    )
    check_ins.set_rhythm(session, member=double.id, rhythm=Rhythm.WEEKLY, now=MORNING)
    session.add_all(
        [
            MemberPriority(
                member_id=double.id,
                priority=PriorityClass.LOW_INCOME,
                set_by_id=hood.staff.id,
                set_at=MORNING,
            ),
            Training(
                member_id=double.id,
                service_kind=ServiceKind.BATHING,
                trained_at=MORNING,
                recorded_by_id=hood.staff.id,
                recorded_at=MORNING,
            ),
        ]
    )
    tell(session, double.id, "thanks", about="x", now=MORNING)


# -- the hours -------------------------------------------------------------------------------------


def test_the_hours_move_by_one_transfer(
    hood: Neighbourhood, double: Member, unite: Callable[..., Merge]
) -> None:
    ledger.gift(
        hood.session,
        giver=hood.wang.id,
        receiver=hood.zhang.id,
        minutes=30,
        idempotency_key="g",
        now=MORNING,
    )
    made = unite()
    moved = hood.session.get(Transfer, made.transfer_id)
    assert moved.kind is TransferKind.MERGE
    assert hood.balance(double).posted == 0
    assert hood.balance(hood.zhang).posted == 120
    assert ledger.verify(hood.session).intact


def test_once_more_changes_nothing(
    hood: Neighbourhood, double: Member, unite: Callable[..., Merge]
) -> None:
    first = unite()
    head = ledger.head(hood.session)
    assert unite() is first
    assert ledger.head(hood.session) == head
    with pytest.raises(WrongState) as refused:
        unite(kept=hood.wang.id)
    assert refused.value.facts == {"state": "merged"}


def test_without_hours_there_is_no_transfer(
    hood: Neighbourhood, unite: Callable[..., Merge]
) -> None:
    nobody = make_member(hood.session, "秀英嫂", now=MORNING)
    assert unite(double=nobody.id).transfer_id is None
    assert nobody.left_at == MORNING


def test_what_the_double_owes_the_kept_one_owes(
    hood: Neighbourhood, double: Member, unite: Callable[..., Merge]
) -> None:
    owing = make_member(hood.session, "秀英嫂", now=MORNING, opening_minutes=40)
    opening = hood.session.scalar(
        select(Transfer.id).where(Transfer.idempotency_key == f"opening:{owing.id}")
    )
    ledger.gift(
        hood.session,
        giver=owing.id,
        receiver=hood.li.id,
        minutes=25,
        idempotency_key="g",
        now=MORNING,
    )
    ledger.reverse(hood.session, transfer_id=opening, reason="x", idempotency_key="r", now=MORNING)
    unite(double=owing.id)
    assert hood.balance(owing).posted == 0
    assert hood.balance(hood.zhang).posted == -25


def test_a_later_reversal_reaches_the_kept_one(
    hood: Neighbourhood, double: Member, unite: Callable[..., Merge]
) -> None:
    """秀英's opening hours were a mistake: 张秀英 gives them back."""
    opening = hood.session.scalar(
        select(Transfer.id).where(Transfer.idempotency_key == f"opening:{double.id}")
    )
    unite()
    for _ in range(2):
        ledger.reverse(
            hood.session, transfer_id=opening, reason="错了", idempotency_key="r", now=MORNING
        )
    assert (hood.balance(double).posted, hood.balance(hood.zhang).posted) == (0, 0)
    assert ledger.verify(hood.session).intact


def test_a_merge_is_not_reversed(hood: Neighbourhood, unite: Callable[..., Merge]) -> None:
    made = unite()
    with pytest.raises(WrongState) as refused:
        ledger.reverse(
            hood.session,
            transfer_id=made.transfer_id,
            reason="x",
            idempotency_key="r",
            now=MORNING,
        )
    assert refused.value.facts == {"state": "merge"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE member_merge SET kept_id = proposed_by_id",
        "DELETE FROM member_merge",
        "UPDATE member SET left_at = NULL, left_why = NULL",
    ],
)
def test_the_database_never_undoes_a_merge(
    hood: Neighbourhood, unite: Callable[..., Merge], statement: str
) -> None:
    unite()
    with pytest.raises(IntegrityError, match="a merge"), hood.session.begin_nested():
        hood.session.execute(text(statement))


def test_a_double_does_not_come_back(
    hood: Neighbourhood, double: Member, unite: Callable[..., Merge], chen: MemberId
) -> None:
    unite()
    with pytest.raises(WrongState) as refused:
        leaving.come_back(hood.session, member=double.id, by=chen, now=MORNING)
    assert refused.value.facts == {"state": "merged"}


def test_a_chain_of_doubles_ends_in_one_account(
    hood: Neighbourhood, double: Member, unite: Callable[..., Merge]
) -> None:
    first = make_member(hood.session, "秀英嫂", now=MORNING, opening_minutes=10)
    unite(double=first.id, kept=double.id)
    unite()
    opening = hood.session.scalar(
        select(Transfer.id).where(Transfer.idempotency_key == f"opening:{first.id}")
    )
    ledger.reverse(hood.session, transfer_id=opening, reason="x", idempotency_key="r", now=MORNING)
    assert [hood.balance(one).posted for one in (first, double, hood.zhang)] == [0, 0, 90]


# -- what stays, moves and ends --------------------------------------------------------------------


def test_the_double_leaves_and_is_named_as_one(
    hood: Neighbourhood, double: Member, unite: Callable[..., Merge]
) -> None:
    made = unite()
    assert double.left_at == MORNING
    assert merging.merged_into(hood.session, double.id) is made
    assert merging.doubles_of(hood.session, hood.zhang.id) == [(double, made)]
    assert [line.other_name for line in ledger.history(hood.session, hood.zhang.id, limit=5)] == [
        "秀英"
    ]
    assert [n["balance"] for n in hood.notices(hood.zhang, "merged")] == [90]


def test_visits_of_the_past_keep_naming_the_double(
    hood: Neighbourhood, double: Member, unite: Callable[..., Merge]
) -> None:
    request = hood.visited(elder=double.id, minutes=60)
    unite()
    assert request.elder_id == double.id
    [moved, spent, _] = ledger.history(hood.session, double.id, limit=5)
    assert (moved.kind, moved.minutes, spent.minutes) == (TransferKind.MERGE, -30, -60)
    assert ledger.verify(hood.session).intact


def test_what_the_kept_one_has_already_is_not_doubled(
    hood: Neighbourhood, double: Member, unite: Callable[..., Merge]
) -> None:
    furnish(hood, double)
    members.offer_help(
        hood.session,
        member=hood.zhang.id,
        kinds=[],
        times=[(0, DayPart.MORNING)],
    )
    hood.session.add_all(
        [
            Relation(
                member_id=hood.zhang.id,
                other_id=hood.wang.id,
                kind=RelationKind.KIN,
                label="婶子",
            ),
            Relation(member_id=double.id, other_id=hood.zhang.id, kind=RelationKind.KIN),
        ]
    )
    check_ins.set_rhythm(hood.session, member=hood.zhang.id, rhythm=Rhythm.NEVER, now=MORNING)
    hood.session.flush()
    unite()
    ties = hood.session.execute(select(Relation).order_by(Relation.id)).scalars().all()
    assert {(tie.member_id, tie.other_id, tie.label) for tie in ties} == {
        (hood.zhang.id, hood.wang.id, "婶子"),
        (hood.wang.id, hood.zhang.id, ""),
    }
    kinds = [skill.service_kind for skill in members.skills_of(hood.session, hood.zhang.id)]
    assert sorted(kinds) == sorted({*kinds}) and ServiceKind.HAIRCUT in kinds
    assert check_ins.rhythm_of(hood.session, hood.zhang) is Rhythm.NEVER


def test_a_training_counts_for_the_person(hood: Neighbourhood, unite: Callable[..., Merge]) -> None:
    trained = make_member(
        hood.session, "秀英嫂", now=MORNING, trained=[ServiceKind.MEALS, ServiceKind.BATHING]
    )
    unite(double=trained.id)
    skills = {
        one.service_kind: one.trained for one in members.skills_of(hood.session, hood.zhang.id)
    }
    assert skills[ServiceKind.MEALS] and skills[ServiceKind.BATHING]
    assert not skills[ServiceKind.SHOPPING]


def test_gaps_are_filled_and_nothing_known_is_replaced(
    hood: Neighbourhood, double: Member, unite: Callable[..., Merge]
) -> None:
    double.birth_year, double.place, double.lives_alone = 1955, "村西头", True
    double.photo = "6.jpg"
    unite()
    assert (hood.zhang.photo, double.photo) == ("6.jpg", None)
    assert (hood.zhang.birth_year, hood.zhang.place) == (1955, "村东头")
    assert hood.zhang.lives_alone


def test_who_would_not_be_named_in_public_is_not_named_now(
    hood: Neighbourhood, double: Member, unite: Callable[..., Merge]
) -> None:
    hood.session.add_all(
        HonourWish(member_id=double.id, may_be_named=named, heard_by_id=hood.staff.id, at=MORNING)
        for named in (True, False)
    )
    hood.session.flush()
    unite()
    hers = select(HonourWish.may_be_named).where(HonourWish.member_id == hood.zhang.id)
    assert hood.session.execute(hers).scalars().all() == [False]


def test_chats_cards_and_given_words_end(
    hood: Neighbourhood, double: Member, unite: Callable[..., Merge]
) -> None:
    bindings.bind(
        hood.session, channel=Channel.TELEGRAM, address="7", member=double.id, now=MORNING
    )
    hood.session.add(
        JoinCard(
            member_id=double.id,
            code_hash="x",
            issued_at=MORNING,
            expires_at=MORNING + timedelta(days=7),
        )
    )
    delegates.propose(hood.session, elder=double.id, delegate=hood.li.id, by=double.id, now=MORNING)
    hood.session.add(CheckIn(member_id=double.id, due_at=MORNING + timedelta(days=1)))
    hood.session.flush()
    unite()
    assert hood.session.execute(select(ChannelBinding.unbound_at)).scalars().all() == [MORNING]
    assert hood.session.execute(select(JoinCard.state)).scalars().all() == [CardState.VOID]
    states = hood.session.execute(select(Delegation.state)).scalars().all()
    assert states == [DelegationState.ENDED]
    assert hood.session.execute(select(CheckIn.state)).scalars().all() == [CheckInState.CANCELLED]


def test_what_was_not_told_yet_is_told_to_the_kept_one(
    hood: Neighbourhood, double: Member, unite: Callable[..., Merge]
) -> None:
    tell(hood.session, double.id, "old", about="old", now=MORNING)
    [old] = outbox.queued_for(hood.session, double.id)
    old.state = NoticeState.DELIVERED
    tell(hood.session, double.id, "new", about="new", now=MORNING)
    unite()
    kinds = [notice.kind for notice in outbox.queued_for(hood.session, hood.zhang.id)]
    assert "new" in kinds and "old" not in kinds
    told = select(Notice.recipient_id).where(Notice.kind == "old")
    assert hood.session.execute(told).scalars().all() == [double.id]
    assert hood.session.execute(select(Reminder)).all() == []


# -- who may ---------------------------------------------------------------------------------------


def test_a_second_person_approves(unite: Callable[..., Merge], chen: MemberId) -> None:
    with pytest.raises(SamePerson):
        unite(approved_by=chen)


def test_nobody_decides_about_himself(
    hood: Neighbourhood, double: Member, unite: Callable[..., Merge], zhou: MemberId, chen: MemberId
) -> None:
    with pytest.raises(NotForSelf):
        unite(kept=zhou)
    with pytest.raises(NotForSelf):
        propose(hood, double, chen, kept=chen)


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ADMINISTRATOR])
def test_approving_takes_the_permission(
    hood: Neighbourhood, unite: Callable[..., Merge], role: Role
) -> None:
    with pytest.raises(NotYours):
        unite(approved_by=hired(hood.session, "某人", role))


@pytest.mark.parametrize("role", [Role.VIEWER, Role.BOOKKEEPER, Role.MEDIATOR])
def test_proposing_takes_the_permission(hood: Neighbourhood, double: Member, role: Role) -> None:
    with pytest.raises(NotYours):
        propose(hood, double, hired(hood.session, "某人", role))


# -- from the proposal to the merge ----------------------------------------------------------------


def propose(hood: Neighbourhood, double: Member, by: MemberId, **other: Any) -> Proposal:
    said: dict[str, Any] = {"double": double.id, "kept": hood.zhang.id, **other}
    return proposals.propose_merge(hood.session, by=by, reason="登记了两次", now=MORNING, **said)


def test_nothing_happens_before_a_second_person_approves(
    hood: Neighbourhood, double: Member, chen: MemberId, zhou: MemberId
) -> None:
    proposed = propose(hood, double, chen)
    assert double.left_at is None
    [given, taken] = proposals.effects(hood.session, proposed)
    assert (given.name, given.change, given.after) == ("秀英", -90, 0)
    assert (taken.name, taken.change, taken.after) == ("张秀英", 90, 90)
    with pytest.raises(SamePerson):
        proposals.approve(hood.session, proposal_id=proposed.id, by=chen, now=MORNING)
    approved = proposals.approve(hood.session, proposal_id=proposed.id, by=zhou, now=MORNING)
    made = merging.merged_into(hood.session, double.id)
    assert made is not None
    assert (made.proposed_by_id, made.approved_by_id) == (chen, zhou)
    assert approved.transfer_id == made.transfer_id
    [line] = ledger.history(hood.session, hood.zhang.id, limit=5)
    assert line.reason == "登记了两次"


def test_what_began_since_is_in_the_way_of_the_approval(
    hood: Neighbourhood, double: Member, chen: MemberId, zhou: MemberId
) -> None:
    proposed = propose(hood, double, chen)
    hood.ask(elder=double.id)
    with pytest.raises(DoubleStillOpen):
        proposals.approve(hood.session, proposal_id=proposed.id, by=zhou, now=MORNING)
    assert proposed.state is ProposalState.PROPOSED


def test_two_proposals_that_cross_end_in_one_merge(
    hood: Neighbourhood, double: Member, chen: MemberId, zhou: MemberId
) -> None:
    """One of the staff would keep 秀英, the other 张秀英: the first approved stands."""
    first = propose(hood, double, chen)
    other = propose(hood, hood.zhang, chen, kept=double.id)
    with pytest.raises(WrongState):
        propose(hood, double, chen, kept=hood.li.id)
    proposals.approve(hood.session, proposal_id=first.id, by=zhou, now=MORNING)
    with pytest.raises(UnknownMember):
        proposals.approve(hood.session, proposal_id=other.id, by=zhou, now=MORNING)


def test_only_two_who_are_here_become_one(
    hood: Neighbourhood, double: Member, unite: Callable[..., Merge]
) -> None:
    for wrong in ({"kept": double.id}, {"double": 4711}, {"kept": -1}):
        with pytest.raises(UnknownMember):
            unite(**wrong)
    hood.zhang.left_at = MORNING
    with pytest.raises(UnknownMember):
        unite()


def test_each_database_merges_and_keeps_what_was_merged(any_village: Village) -> None:
    with any_village.transaction() as session:
        hood = settle_in(session, MORNING)
        chen, zhou = hired(session, "陈会计", Role.COORDINATOR), hired(session, "周", Role.MEDIATOR)
        double = make_member(session, "秀英", now=MORNING, opening_minutes=90)
        furnish(hood, double)
        proposed = propose(hood, double, chen)
        proposals.approve(session, proposal_id=proposed.id, by=zhou, now=MORNING)
        assert hood.balance(hood.zhang).posted == 90
        gone = double.id
    for statement in (
        "UPDATE member_merge SET at = at",
        "DELETE FROM member_merge",
        f"UPDATE member SET left_at = NULL WHERE id = {gone}",
        "UPDATE transfer SET reason = 'x'",
        "DELETE FROM posting",
    ):
        with pytest.raises(IntegrityError), any_village.transaction() as session:
            session.execute(text(statement))
    with any_village.reading() as session:
        assert ledger.verify(session).intact
