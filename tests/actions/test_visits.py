"""The elder's side of a visit: she came, how long it took, or nobody came."""

from __future__ import annotations

import pytest

from actions.timebank.model import Confirmation, Dispute, ServiceRequest, Visit
from actions.timebank.states import (
    DisputeKind,
    Party,
    RequestState,
    ServiceKind,
)
from actions.visits import (
    ActionAskNoShowSure,
    ActionAskVisitMinutes,
    ActionAskVisitSure,
    ActionConfirmVisit,
    ActionReportNoShow,
    ValidateConfirmVisitForm,
    ValidateNoShowForm,
)
from tests.actions.conftest import Meet
from tests.actions.speaker import Answered, Speaker
from tests.small_village import Street

CAME = "来了，做完了"


def claimed(street: Street, minutes: int = 60, **fields: object) -> int:
    """张秀英, or who is named, says that she is done; gives the request's number."""
    with street.neighbourhood() as hood:
        request = hood.ask(**fields)
        hood.claim(hood.accepted(request), minutes)
        return int(request.id)


def promised(street: Street, **fields: object) -> int:
    """Somebody has agreed, and the time has come."""
    with street.neighbourhood() as hood:
        request = hood.ask(**fields)
        hood.accepted(request)
        number = int(request.id)
    street.clock.pass_time(days=1, minutes=20)
    return number


def says_she_came(speaker: Speaker, text: str = CAME, **said: object) -> Answered:
    speaker.says(text, "confirm_service", form="confirm_visit_form", **said)
    return speaker.runs(ValidateConfirmVisitForm)


def answers(speaker: Speaker, intent: str, **slots: object) -> Answered:
    return speaker.says("", intent, slots=slots).runs(ValidateConfirmVisitForm)


def is_asked(speaker: Speaker) -> Answered:
    """What Rasa asks next: the first slot of the form that is still empty."""
    empty = speaker.slots.get("visit_minutes") is None
    return speaker.runs(ActionAskVisitMinutes if empty else ActionAskVisitSure)


def test_a_claim_that_was_not_read_to_her_is_read_and_wants_a_yes(
    street: Street, wang: Speaker
) -> None:
    claimed(street)
    assert says_she_came(wang).slots == {"matter_id": 1, "visit_minutes": 60, "visit_sure": None}
    asked = is_asked(wang)
    assert asked.responses == ["utter_ask_visit_sure_claimed"]
    assert "张秀英" in asked.text and "60分钟" in asked.text and "买东西" in asked.text
    assert [button["payload"] for button in asked.buttons] == ["/affirm", "/deny"]
    assert street.balance("张秀英").posted == 0


def test_yes_moves_the_minutes_and_tells_what_is_left(street: Street, wang: Speaker) -> None:
    claimed(street)
    says_she_came(wang)
    answers(wang, "affirm", visit_sure=True)
    answered = wang.runs(ActionConfirmVisit)
    assert answered.responses == ["utter_visit_settled"] and answered.drops_matter
    assert "60分钟" in answered.text and "张秀英" in answered.text
    assert (street.balance("张秀英").posted, street.balance("王奶奶").posted) == (60, 60)


def test_the_notices_yes_button_settles_that_visit_at_once(street: Street, wang: Speaker) -> None:
    number = claimed(street)
    said = {"request_id": str(number), "choice": "60分钟", "recording": "ab" * 32}
    assert says_she_came(wang, "/confirm_service", **said).slots["visit_sure"] is True
    assert wang.runs(ActionConfirmVisit).responses == ["utter_visit_settled"]
    confirmation = street.row(Confirmation, party=Party.ELDER)
    assert (confirmation.minutes, confirmation.evidence_sha256) == (60, "ab" * 32)
    assert confirmation.turn_id == wang.message["metadata"]["turn_id"]


@pytest.mark.parametrize("read", ["90分钟", "60", "", None])
def test_a_button_under_another_number_than_is_claimed_by_now_moves_nothing(
    street: Street, wang: Speaker, read: str | None
) -> None:
    """He corrected himself after she was told, or somebody made the button up."""
    said = {"request_id": str(claimed(street)), **({} if read is None else {"choice": read})}
    assert says_she_came(wang, "/confirm_service", **said).slots["visit_sure"] is None
    assert "60分钟" in wang.runs(ActionAskVisitSure).text
    assert street.rows(Confirmation, party=Party.ELDER) == []


def test_her_own_number_that_agrees_needs_no_question(street: Street, wang: Speaker) -> None:
    claimed(street)
    answered = says_she_came(wang, "来了，做了一个小时", slots={"visit_minutes": 60.0})
    assert answered.slots == {"matter_id": 1, "visit_minutes": 60.0, "visit_sure": True}
    assert wang.runs(ActionConfirmVisit).responses == ["utter_visit_settled"]


def test_her_own_number_that_differs_is_read_back(street: Street, wang: Speaker) -> None:
    claimed(street)
    says_she_came(wang, slots={"visit_minutes": 40.0})
    asked = is_asked(wang)
    assert asked.responses == ["utter_ask_visit_sure_said"] and "40分钟" in asked.text
    assert street.rows(Confirmation, party=Party.ELDER) == []


def test_no_with_another_number_is_read_back_again(street: Street, wang: Speaker) -> None:
    claimed(street)
    says_she_came(wang)
    said = answers(wang, "deny", visit_sure=False, visit_minutes=40.0)
    assert said.slots == {"matter_id": 1, "visit_minutes": 40.0, "visit_sure": None}
    assert "40分钟" in is_asked(wang).text
    answers(wang, "affirm", visit_sure=True)
    wang.runs(ActionConfirmVisit)
    assert street.row(Visit).settled_minutes == 40


def test_a_bare_no_asks_how_long_it_really_was(street: Street, wang: Speaker) -> None:
    claimed(street)
    says_she_came(wang)
    assert answers(wang, "deny", visit_sure=False).slots["visit_minutes"] is None
    asked = is_asked(wang)
    assert asked.responses == ["utter_ask_visit_minutes_again"] and "张秀英" in asked.text


def test_minutes_that_differ_much_move_in_part_and_name_who_looks_into_it(
    street: Street, wang: Speaker
) -> None:
    claimed(street, 90)
    says_she_came(wang, slots={"visit_minutes": 40.0})
    answers(wang, "affirm", visit_sure=True)
    answered = wang.runs(ActionConfirmVisit)
    assert answered.responses == ["utter_visit_disputed"]
    assert all(part in answered.text for part in ("90分钟", "40分钟", "陈干事"))
    assert street.row(Dispute).kind is DisputeKind.MINUTES_DIFFER
    assert street.balance("张秀英").posted == 40


def test_her_word_before_the_helpers_waits_for_it(street: Street, wang: Speaker) -> None:
    promised(street)
    unknown = {"visit_minutes": None, "visit_sure": None}
    assert says_she_came(wang).slots == {"matter_id": 1, **unknown}
    assert is_asked(wang).responses == ["utter_ask_visit_minutes"]
    answers(wang, "inform", visit_minutes=50.0)
    assert is_asked(wang).responses == ["utter_ask_visit_sure_said"]
    answers(wang, "affirm", visit_sure=True)
    answered = wang.runs(ActionConfirmVisit)
    assert answered.responses == ["utter_visit_waits_for_helper"] and "50分钟" in answered.text
    assert street.balance("张秀英").posted == 0
    assert len(street.told("张秀英", "visit_confirmed_first")) == 1


def test_a_visit_of_no_minutes_moves_nothing(street: Street, wang: Speaker) -> None:
    claimed(street, 10)
    says_she_came(wang, slots={"visit_minutes": 0.0})
    answers(wang, "affirm", visit_sure=True)
    answered = wang.runs(ActionConfirmVisit)
    assert answered.responses == ["utter_visit_nothing_moved"]
    assert street.balance("王奶奶").posted == 120


@pytest.mark.parametrize("minutes", [-1.0, 100_000.0])
def test_minutes_that_no_visit_takes_are_refused(
    street: Street, wang: Speaker, minutes: float
) -> None:
    claimed(street)
    says_she_came(wang, slots={"visit_minutes": minutes})
    wang.slots["visit_sure"] = True
    answered = wang.runs(ActionConfirmVisit)
    assert answered.responses == ["utter_refused_bad_minutes"] and answered.drops_matter
    assert street.rows(Confirmation, party=Party.ELDER) == []


def test_the_fund_is_thanked_only_for_what_it_paid(street: Street, wang: Speaker) -> None:
    claimed(street, 150)
    says_she_came(wang)
    answers(wang, "affirm", visit_sure=True)
    assert wang.runs(ActionConfirmVisit).responses == ["utter_visit_settled_by_fund"]
    assert street.balance("张秀英").posted == 150 and street.balance("王奶奶").posted == 0


def test_her_last_minutes_are_not_told_as_the_funds(street: Street, wang: Speaker) -> None:
    claimed(street, 120)
    says_she_came(wang)
    answers(wang, "affirm", visit_sure=True)
    assert wang.runs(ActionConfirmVisit).responses == ["utter_visit_settled"]


@pytest.mark.parametrize("known", [{}, {"visit_minutes": 60.0}, {"visit_sure": True}])
def test_a_form_left_before_all_is_sure_moves_nothing(
    street: Street, wang: Speaker, known: dict[str, object]
) -> None:
    claimed(street)
    wang.slots.update(known)
    answered = wang.says("").runs(ActionConfirmVisit)
    assert answered.text == "" and answered.drops_matter
    assert street.balance("张秀英").posted == 0


def test_nothing_to_confirm_is_told_and_the_form_left(wang: Speaker) -> None:
    answered = says_she_came(wang)
    assert answered.responses == ["utter_refused_nothing_open_visit"] and answered.leaves_form


@pytest.mark.parametrize("button", ["1", "999999999", "0"])
def test_nobody_confirms_another_elders_visit(street: Street, meet: Meet, button: str) -> None:
    claimed(street)
    stranger = meet("赵铁柱")
    answered = says_she_came(stranger, "/confirm_service", request_id=button)
    assert answered.responses == ["utter_refused_nothing_open_visit"] and answered.leaves_form
    stranger.slots.update(visit_minutes=60.0, visit_sure=True)
    assert stranger.runs(ActionConfirmVisit).responses == ["utter_refused_nothing_open_visit"]
    assert street.balance("张秀英").posted == 0
    assert street.row(ServiceRequest).state is RequestState.CLAIMED


def test_another_elders_button_does_not_fall_on_her_own_visit(
    street: Street, wang: Speaker
) -> None:
    with street.neighbourhood() as hood:
        other = hood.ask(elder=hood.zhao.id, service_kind=ServiceKind.MEALS)
        hood.claim(hood.accepted(other), 60)
        number = int(other.id)
    claimed(street)
    answered = says_she_came(wang, "/confirm_service", request_id=str(number))
    assert answered.responses == ["utter_refused_nothing_open_visit"]


def test_the_same_button_twice_moves_the_minutes_once(street: Street, wang: Speaker) -> None:
    number = claimed(street)
    for _ in range(2):
        says_she_came(wang, "/confirm_service", request_id=str(number), choice="60分钟")
        wang.runs(ActionConfirmVisit)
    assert street.balance("张秀英").posted == 60


def two_claims(street: Street) -> None:
    """张秀英 claims half an hour, then 李建国 claims an hour."""
    with street.neighbourhood() as hood:
        for helper, minutes in ((hood.zhang, 30), (hood.li, 60)):
            request = hood.ask(wanted_helper=helper.id, minutes=minutes)
            hood.claim(hood.accepted(request), minutes)


def test_of_two_claims_the_named_neighbours_is_read_back(street: Street, wang: Speaker) -> None:
    two_claims(street)
    says_she_came(wang, "秀英来了", person="张秀英")
    asked = is_asked(wang)
    assert "张秀英" in asked.text and "30分钟" in asked.text


def test_of_two_claims_the_one_read_back_is_paid(street: Street, wang: Speaker) -> None:
    two_claims(street)
    says_she_came(wang, "秀英来了", person="张秀英")
    answers(wang, "affirm", visit_sure=True)
    wang.runs(ActionConfirmVisit)
    assert (street.balance("张秀英").posted, street.balance("李建国").posted) == (30, 0)


# Nobody came


def no_show(speaker: Speaker) -> Answered:
    return speaker.says("人没来", "report_no_show", form="no_show_form").runs(ValidateNoShowForm)


def test_who_did_not_come_is_read_back(street: Street, wang: Speaker) -> None:
    promised(street)
    assert no_show(wang).text == ""
    asked = wang.runs(ActionAskNoShowSure)
    assert asked.responses == ["utter_ask_no_show_sure"]
    assert "张秀英" in asked.text and "2026-03-03T09:00+08:00" in asked.text


def test_a_sure_no_show_frees_her_minutes_and_goes_to_the_staff(
    street: Street, wang: Speaker
) -> None:
    promised(street)
    assert street.balance("王奶奶").held == 60
    no_show(wang)
    wang.says("没来", "affirm", slots={"no_show_sure": True})
    answered = wang.runs(ActionReportNoShow)
    assert answered.responses == ["utter_no_show_told"] and "陈干事" in answered.text
    assert street.row(Dispute).kind is DisputeKind.NO_SHOW
    assert street.balance("王奶奶").held == 0 and answered.drops_matter
    assert len(street.told("张秀英", "no_show_told")) == 1


def test_a_no_show_taken_back_changes_nothing(street: Street, wang: Speaker) -> None:
    promised(street)
    no_show(wang)
    wang.says("来了", "deny", slots={"no_show_sure": False})
    assert wang.runs(ActionReportNoShow).responses == ["utter_no_show_withdrawn"]
    assert street.rows(Dispute) == [] and street.balance("王奶奶").held == 60


def test_an_unanswered_question_reports_nobody(street: Street, wang: Speaker) -> None:
    promised(street)
    no_show(wang)
    assert wang.says("").runs(ActionReportNoShow).text == ""
    assert street.rows(Dispute) == []


def test_before_its_time_nobody_can_be_late(street: Street, wang: Speaker) -> None:
    with street.neighbourhood() as hood:
        hood.accepted(hood.ask())
    answered = no_show(wang)
    assert answered.responses == ["utter_refused_nothing_open_request"] and answered.leaves_form


def test_nobody_reports_for_another_elder(street: Street, meet: Meet) -> None:
    promised(street)
    stranger = meet("赵铁柱")
    assert no_show(stranger).responses == ["utter_refused_nothing_open_request"]
    stranger.slots["no_show_sure"] = True
    stranger.runs(ActionReportNoShow)
    assert street.rows(Dispute) == []
