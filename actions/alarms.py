"""The side of those who are called to an alarm: who goes, who cannot, and how she is."""

from __future__ import annotations

import re
from typing import Any, Dict, List, Optional

from rasa_sdk.events import EventType, SlotSet

from actions.base import Talk, leave_form
from actions.timebank import alerts, queries
from actions.timebank.errors import NothingOpen, WrongState
from actions.timebank.ids import AlertId
from actions.timebank.model import Alert
from actions.timebank.states import AlertKind, AlertState

WELL = re.compile(
    "没(?:啥|什么|甚|得|有|大)*事|[她他]好[着了]|好好的|好多了|好些了|缓过来|醒了|起来了|安顿|平安"
    "|挺好|不要紧|不打紧|扶起来"
)
"""她没事了: what whoever went there says when all is well."""
HOSPITAL = re.compile(
    "[送到进住拉在]\\w{0,4}(?:医院|卫生院|卫生所)|(?:救护车|一二零|120)\\w{0,2}[来到接拉]"
)
ILL = re.compile("不是没|不好|没好|没醒|没起来|起不来|不行|严重|快来|还要|昏|流血|[得要想该]去?送")
"""With such words in it nothing is over."""
TELLS = ("affirm", "complete_task", "confirm_service", "deny", "inform", "report_wellbeing")
ON_THE_WAY = re.compile("过去|这就|马上|就[来去到]|赶|动身|出门")


def to_take(talk: Talk) -> Optional[AlertId]:
    """The alarm that 我去 takes: the button's, else the one that waits for this person. An alarm
    goes before an offer, unless he names the offer's elder, or the offer came after the calm
    word that somebody did not answer."""
    button = talk.heard_id("alert_id")
    if button is not None:
        return AlertId(button)
    waiting = alerts.waiting_for(talk.session, talk.me)
    if waiting is None or talk.heard_id("offer_id") is not None:
        return None
    offers = queries.pending_offers(talk.session, talk.me)
    named = talk.heard("person")
    means_offer = named != waiting.member.name and any(
        offer.request.elder.name == named for offer in offers
    )
    is_calm = waiting.kind is AlertKind.MISSED_CHECK_IN
    if means_offer or (is_calm and any(one.offered_at > waiting.raised_at for one in offers)):
        return None
    return AlertId(waiting.id)


def take(talk: Talk, alert_id: AlertId) -> None:
    """He goes, or hears that it is no longer needed."""
    try:
        alert = alerts.take_alert(talk.session, alert_id=alert_id, by=talk.me, now=talk.now)
    except WrongState as gone:
        _say_gone(talk, alert_id, gone)
        return
    talk.say("utter_alarm_over" if _is_over(alert) else "utter_alarm_taken", **facts_of(alert))


def to_decline(talk: Talk) -> Optional[AlertId]:
    """The alarm that 去不了 means: the one he would take by 我去, else the one he took, unless
    something else was asked or promised since."""
    alert_id = to_take(talk)
    if alert_id is not None or talk.heard_id("offer_id") is not None:
        return alert_id
    took = alerts.taken_by(talk.session, talk.me)
    if took is None or took.state is not AlertState.TAKEN or _has_newer(talk, took):
        return None
    return AlertId(took.id)


def decline(talk: Talk, alert_id: AlertId, reason: str) -> None:
    took = alerts.taken_by(talk.session, talk.me)
    is_given_back = took is not None and took.id == alert_id and took.state is AlertState.TAKEN
    alert = alerts.decline_alert(
        talk.session,
        alert_id=alert_id,
        by=talk.me,
        turn_id=talk.turn,
        now=talk.now,
        reason=reason,
    )
    if _is_over(alert):
        talk.say("utter_alarm_over", **facts_of(alert))
    else:
        said = "utter_alarm_given_back" if is_given_back else "utter_alarm_declined"
        talk.say(said, **facts_of(alert))


def goes_there(talk: Talk) -> bool:
    """Whether 我这就过去 or 我到了 spoke of an alarm; then it is answered."""
    took = alerts.taken_by(talk.session, talk.me)
    named = talk.heard("person")
    is_hers = took is not None and named in (None, took.member.name)
    if took is not None and is_hers and not _has_newer(talk, took):
        talk.say("utter_alarm_there", **facts_of(took))
        return True
    alert_id = to_take(talk) if ON_THE_WAY.search(talk.words) else None
    if alert_id is not None:
        take(talk, alert_id)
    return alert_id is not None


def tells_the_end(talk: Talk) -> bool:
    """Whether whoever went there says in these words that she is well or in hospital."""
    took = alerts.taken_by(talk.session, talk.me)
    if took is None or talk.intent not in TELLS or ILL.search(talk.words):
        return False
    if WELL.search(talk.words) or HOSPITAL.search(talk.words):
        return True
    # 办完了 from somebody who has nothing else to be done with.
    is_done = talk.intent == "complete_task" and took.state is AlertState.TAKEN
    return is_done and not queries.active_tasks(talk.session, talk.me)


def ask_end(talk: Talk) -> List[EventType]:
    """Read back before the others stop looking after her; said twice it is believed."""
    took = alerts.taken_by(talk.session, talk.me)
    if took is None:
        return []
    end = {"alert_id": took.id, "in_hospital": HOSPITAL.search(talk.words) is not None}
    if _end_asked(talk) == end:
        return end_alarm(talk)
    hospital = "_hospital" if end["in_hospital"] else ""
    talk.say(f"utter_ask_alarm_end{hospital}", **facts_of(took))
    return [*leave_form(), SlotSet("alarm_end", end)]


def is_end_asked(talk: Talk) -> bool:
    """Whether he was asked last if she is well."""
    return _end_asked(talk) is not None


def end_alarm(talk: Talk) -> List[EventType]:
    """The yes to `ask_end`."""
    end = _end_asked(talk) or {}
    _close(talk, AlertId(end["alert_id"]), in_hospital=end["in_hospital"])
    return leave_form()


def answer_button(talk: Talk) -> List[EventType]:
    """The button under 怎么样了: 没事了, or 还要人."""
    alert_id = AlertId(talk.heard_id("alert_id") or 0)
    if talk.heard_id("choice") != 2:
        _close(talk, alert_id, in_hospital=False)
        return []
    try:
        alert = alerts.ask_for_more(
            talk.session, alert_id=alert_id, by=talk.me, turn_id=talk.turn, now=talk.now
        )
    except WrongState as gone:
        _say_gone(talk, alert_id, gone)
        return []
    talk.say("utter_alarm_more_called", **facts_of(alert))
    return []


def say_waiting(talk: Talk) -> bool:
    """Tells of the alarm that waits for this person, if one does."""
    waiting = alerts.waiting_for(talk.session, talk.me)
    if waiting is None:
        return False
    is_calm = waiting.kind is AlertKind.MISSED_CHECK_IN
    response = "utter_notice_check_in_missed" if is_calm else "utter_alarm_waiting"
    talk.say(response, **facts_of(waiting))
    return True


def facts_of(alert: Alert) -> Dict[str, Any]:
    person = alert.member
    return {
        "alert_id": alert.id,
        "member": person.name,
        "place": f"{person.lane.name}{person.place}",
    }


def _close(talk: Talk, alert_id: AlertId, *, in_hospital: bool) -> None:
    alert = alerts.close_alert(
        talk.session, alert_id=alert_id, by=talk.me, now=talk.now, in_hospital=in_hospital
    )
    hospital = "_hospital" if in_hospital else ""
    talk.say(f"utter_alarm_ended{hospital}", **facts_of(alert))


def _end_asked(talk: Talk) -> Optional[Dict[str, Any]]:
    if talk.before.turn == talk.turn:
        return None
    return talk.before.slots.get("alarm_end")


def _has_newer(talk: Talk, took: Alert) -> bool:
    """Whether he was asked or promised anything since he took this alarm."""
    offers = queries.pending_offers(talk.session, talk.me)
    tasks = queries.active_tasks(talk.session, talk.me)
    moments = [one.offered_at for one in offers] + [one.accepted_at for one in tasks]
    return any(moment > took.taken_at for moment in moments)


def _say_gone(talk: Talk, alert_id: AlertId, gone: WrongState) -> None:
    alert = talk.session.get(Alert, alert_id)
    if alert is None:
        raise NothingOpen(f"no alert {alert_id}")
    if _is_over(alert):
        talk.say("utter_alarm_over", **facts_of(alert))
    else:
        talk.say("utter_alarm_taken_by_other", by=gone.facts["by"], **facts_of(alert))


def _is_over(alert: Alert) -> bool:
    return alert.state is AlertState.CLOSED
