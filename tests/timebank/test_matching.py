"""Which neighbour is asked first, and why."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from actions.timebank.matching import Candidate, Reason, candidates
from actions.timebank.model import Member, Relation, ServiceRequest, Skill
from actions.timebank.states import RelationKind, RequestState, ServiceKind
from tests.timebank.builders import FakeClock, make_member
from tests.timebank.neighbourhood import WILLING, Neighbourhood, new_turn, settle_in


@pytest.fixture
def home(session: Session, clock: FakeClock) -> Neighbourhood:
    return settle_in(session, clock.now)


def need(home: Neighbourhood, **fields: Any) -> ServiceRequest:
    """A request that nobody has been asked about yet."""
    asked: dict[str, Any] = {
        "elder_id": home.wang.id,
        "requested_by_id": home.wang.id,
        "service_kind": ServiceKind.SHOPPING,
        "starts_at": home.now + timedelta(days=1),
        "minutes": 60,
        "turn_id": new_turn(),
        "created_at": home.now,
        "state": RequestState.OPEN,
    }
    request = ServiceRequest(**{**asked, **fields})
    home.session.add(request)
    home.session.flush()
    return request


def found(home: Neighbourhood, request: ServiceRequest, **given: Any) -> list[Candidate]:
    return candidates(home.session, request, now=home.now, **given)


def names(home: Neighbourhood, request: ServiceRequest, **given: Any) -> list[str]:
    return [candidate.helper.name for candidate in found(home, request, **given)]


def relate(home: Neighbourhood, who: Member, other: Member, kind: RelationKind) -> None:
    home.session.add(Relation(member_id=who.id, other_id=other.id, kind=kind, label="儿媳"))
    home.session.flush()


def another(home: Neighbourhood, name: str, **fields: Any) -> Member:
    made: dict[str, Any] = {"now": home.now, "takes_tasks": True, "skills": WILLING}
    return make_member(home.session, name, **{**made, **fields})


def test_the_same_lane_comes_before_the_group_and_the_group_before_the_village(
    home: Neighbourhood,
) -> None:
    best = found(home, need(home))
    assert [candidate.helper.name for candidate in best] == [
        "张秀英",
        "李建国",
        "赵铁柱",
    ]
    assert [candidate.reasons[0] for candidate in best] == [
        Reason.SAME_LANE,
        Reason.SAME_GROUP,
        Reason.SKILLED,
    ]
    assert best[0].why[0] == {"code": "same_lane", "lane": "桂花巷"}
    assert best[1].why[0] == {"code": "same_group", "group": "东片互助组"}


def test_a_neighbour_known_from_an_earlier_visit_comes_first_and_the_day_can_be_told(
    home: Neighbourhood,
) -> None:
    before = another(home, "孙桂兰")
    request = home.ask(wanted_helper=before.id)
    home.claim(home.accepted(request), 60)
    home.confirm(request)
    best = found(home, need(home, service_kind=ServiceKind.CLEANING))
    assert best[0].helper is before
    assert best[0].why[0] == {
        "code": "helped_before",
        "kind": "shopping",
        "day": "2026-03-03",
    }


def test_the_day_of_the_last_visit_is_the_villages_day(home: Neighbourhood) -> None:
    seven_in_the_morning = home.now + timedelta(hours=22)  # Still the day before in UTC.
    home.visited(starts_at=seven_in_the_morning)
    best = found(home, need(home))
    assert best[0].facts[Reason.HELPED_BEFORE]["day"] == "2026-03-03"


@pytest.mark.parametrize("confirmed", [0, 10])
def test_a_visit_of_nothing_or_in_dispute_is_no_recommendation(
    home: Neighbourhood, confirmed: int
) -> None:
    request = home.ask()
    home.claim(home.accepted(request), 60 if confirmed else 10)
    home.confirm(request, minutes=confirmed)
    assert all(Reason.HELPED_BEFORE not in one.reasons for one in found(home, need(home)))


def test_kin_come_last_even_from_the_next_door(home: Neighbourhood) -> None:
    relate(home, home.wang, home.zhang, RelationKind.KIN)
    best = found(home, need(home))
    assert [candidate.helper.name for candidate in best] == [
        "李建国",
        "赵铁柱",
        "张秀英",
    ]
    assert {"code": "kin", "label": "儿媳"} in best[-1].why


def test_kin_by_their_own_word_come_last_too(home: Neighbourhood) -> None:
    relate(home, home.zhang, home.wang, RelationKind.SPOUSE)
    best = found(home, need(home))
    assert best[-1].helper is home.zhang
    assert best[-1].facts[Reason.KIN] == {"label": ""}


def test_a_named_neighbour_counts_as_next_door(home: Neighbourhood) -> None:
    relate(home, home.wang, home.zhao, RelationKind.NEIGHBOUR)
    home.ask()  # 张秀英 was asked once this month already.
    best = found(home, need(home))
    assert [candidate.helper.name for candidate in best] == [
        "赵铁柱",
        "张秀英",
        "李建国",
    ]
    assert best[0].reasons == [Reason.NEIGHBOUR, Reason.SKILLED, Reason.FAIR_TURN]


def test_among_equals_it_is_the_turn_of_who_was_asked_less(home: Neighbourhood) -> None:
    another(home, "孙桂兰")
    assert names(home, need(home))[:2] == ["张秀英", "孙桂兰"]
    home.ask()
    best = found(home, need(home))
    assert [candidate.helper.name for candidate in best[:2]] == ["孙桂兰", "张秀英"]
    assert best[0].facts[Reason.FAIR_TURN] == {"asked": 0}
    assert Reason.FAIR_TURN not in best[1].reasons
    home.now += timedelta(days=31)
    assert names(home, need(home))[:2] == ["张秀英", "孙桂兰"]


def test_training_goes_before_mere_willingness(home: Neighbourhood) -> None:
    trained = another(home, "孙桂兰", trained=[ServiceKind.CLEANING])
    best = found(home, need(home, service_kind=ServiceKind.CLEANING))
    assert best[0].helper is trained
    assert {"code": "trained", "kind": "cleaning"} in best[0].why


def test_bathing_is_for_the_trained_alone_however_near_or_wanted_others_are(
    home: Neighbourhood,
) -> None:
    request = need(home, service_kind=ServiceKind.BATHING)
    home.session.add(Skill(member_id=home.zhang.id, service_kind=ServiceKind.BATHING))
    home.session.flush()
    assert names(home, request, wanted=home.zhang.id) == []
    nurse = another(home, "周护士", lane="石桥巷", trained=[ServiceKind.BATHING])
    assert names(home, request, wanted=home.zhang.id) == [nurse.name]


def test_what_nobody_lists_is_asked_in_the_group_among_who_take_tasks(
    home: Neighbourhood,
) -> None:
    another(home, "孙桂兰", takes_tasks=False)
    best = found(home, need(home, service_kind=ServiceKind.HAIRCUT))
    assert [candidate.helper.name for candidate in best] == ["张秀英", "李建国"]
    assert best[0].reasons == [Reason.SAME_LANE]


def test_the_elders_own_skill_helps_nobody(home: Neighbourhood) -> None:
    home.wang.takes_tasks = True
    home.session.add(Skill(member_id=home.wang.id, service_kind=ServiceKind.HAIRCUT))
    home.session.flush()
    request = need(home, service_kind=ServiceKind.HAIRCUT)
    assert names(home, request) == ["张秀英", "李建国"]


def test_one_person_who_lists_the_kind_is_enough_to_spare_the_others(
    home: Neighbourhood,
) -> None:
    another(home, "孙桂兰", lane="石桥巷", skills=[ServiceKind.HAIRCUT])
    assert names(home, need(home, service_kind=ServiceKind.HAIRCUT)) == ["孙桂兰"]


def test_who_left_or_takes_no_tasks_is_not_asked(home: Neighbourhood) -> None:
    home.zhang.left_at = home.now
    home.li.takes_tasks = False
    home.session.flush()
    request = need(home)
    assert names(home, request) == ["赵铁柱"]
    assert names(home, request, wanted=home.li.id) == ["赵铁柱"]


@pytest.mark.parametrize(
    ("shift", "busy"),
    [(-61, False), (-60, False), (-59, True), (0, True), (59, True), (60, False)],
)
def test_who_has_another_task_then_is_not_asked(
    home: Neighbourhood, shift: int, busy: bool
) -> None:
    taken = home.ask()
    assert home.accepted(taken).helper is home.zhang
    request = need(home, starts_at=taken.starts_at + timedelta(minutes=shift))
    assert ("张秀英" not in names(home, request)) is busy


def test_whom_the_elder_named_goes_first_also_for_a_kind_not_on_the_list(
    home: Neighbourhood,
) -> None:
    friend = another(home, "孙桂兰", lane="石桥巷", skills=[])
    best = found(home, need(home), wanted=friend.id)
    assert best[0].helper is friend
    assert best[0].why == [{"code": "asked_for"}]
    assert friend.name not in names(home, need(home))


def test_naming_oneself_or_nobody_changes_nothing(home: Neighbourhood) -> None:
    usual = names(home, need(home))
    for wanted in (home.wang.id, 4_711, None):
        assert names(home, need(home), wanted=wanted) == usual


def test_the_questions_asked_do_not_grow_with_the_village(home: Neighbourhood) -> None:
    for number in range(40):
        another(home, f"村民{number}", lane=f"新巷{number % 8}")
    request = need(home)
    home.session.flush()
    home.session.expunge_all()
    request = home.session.get(ServiceRequest, request.id)
    asked: list[str] = []
    event.listen(
        home.session.get_bind(),
        "before_cursor_execute",
        lambda *call: asked.append(call[2]),
    )
    assert len(found(home, request)) == 43
    assert len(asked) <= 12
