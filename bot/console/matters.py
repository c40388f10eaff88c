"""Disputes with both sides' words and a mediator's decision; alarms and who goes there."""

from __future__ import annotations

from typing import Any, List, Optional, Sequence

from sqlalchemy.orm import Session
from starlette.responses import Response

from actions.timebank import alarm_calls, ledger
from actions.timebank.errors import BadMinutes, NothingOpen, Refusal, WrongState
from actions.timebank.ids import AlertId, DisputeId, MemberId
from actions.timebank.members import kin_of, member
from actions.timebank.model import Alert
from actions.timebank.staff import handling, mediating, standing
from actions.timebank.staff.mediating import Side
from actions.timebank.staff.roles import Permission
from actions.timebank.staff.states import (
    Viewed,
)
from actions.timebank.states import DisputeKind
from bot.console.desk import ConsoleRoute, Desk, NotFound
from bot.console.when import near

LAST_DECIDED = 20


def disputes(desk: Desk) -> Response:
    with desk.reading() as session:
        waiting = standing.open_disputes(session)
        decided = mediating.decided(session, limit=LAST_DECIDED)
        return desk.page("disputes/list.html", waiting=waiting, decided=decided, when=near(desk))


def dispute(desk: Desk) -> Response:
    return _dispute(desk, DisputeId(desk.path["dispute_id"]))


def _dispute(
    desk: Desk, dispute_id: DisputeId, *, problem: str = "", status: int = 200, typed: Any = None
) -> Response:
    with desk.reading() as session:
        try:
            matter = mediating.matter(session, dispute_id)
        except NothingOpen as unknown:
            raise NotFound from unknown
        sides = [side for side in (matter.elder, matter.helper) if side is not None]
        for side in sides:
            if side.turn is not None:
                about = MemberId(side.person.id)
                desk.saw(Viewed.CONVERSATION, about, f"/disputes/{dispute_id}")
        row = matter.dispute
        account = None
        if matter.helper is not None and matter.not_yet_moved > 0:
            account = ledger.account_of(session, MemberId(matter.helper.person.id)).id
        return desk.page(
            "disputes/one.html",
            status,
            matter=matter,
            when=near(desk),
            dispute=row,
            sides=sides,
            contested=row.kind is DisputeKind.MINUTES_DIFFER,
            least=min(row.claimed_minutes or 0, row.confirmed_minutes or 0),
            most=max(row.claimed_minutes or 0, row.confirmed_minutes or 0),
            may_decide=desk.staff.may(Permission.MEDIATE),
            kin=_kin(session, desk, sides),
            may_hear=desk.staff.may(Permission.HEAR_RECORDINGS),
            account=account,
            may_propose=desk.staff.may(Permission.PROPOSE_MOVEMENT),
            problem=problem,
            typed=typed or {},
        )


def _kin(session: Session, desk: Desk, sides: Sequence[Side]) -> List[str]:
    """Whom of the two the reader is kin to: nothing forbids that, but it should be seen."""
    both = {side.person.id for side in sides}
    return [str(one.name) for one in kin_of(session, desk.staff.member_id) if one.id in both]


def decide(desk: Desk) -> Response:
    dispute_id = DisputeId(desk.path["dispute_id"])
    try:
        with desk.transaction() as session:
            done = mediating.decide(
                session,
                by=desk.staff.member_id,
                dispute_id=dispute_id,
                words=desk.form.get("words", ""),
                minutes=_minutes(desk),
                now=desk.now,
            )
            desk.about(MemberId(done.opened_by_id))
    except NothingOpen as unknown:
        raise NotFound from unknown
    except Refusal as refusal:
        # What was typed is shown again, beside what somebody else decided meanwhile.
        return _dispute(
            desk, dispute_id, problem=_why_not(desk, refusal), status=409, typed=desk.form
        )
    return desk.go(f"/disputes/{dispute_id}", desk.say("记好了，两边都会听到。"))


def _minutes(desk: Desk) -> Optional[int]:
    text = desk.form.get("minutes", "").strip()
    if not text:
        return None
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else -1


def _why_not(desk: Desk, refusal: Refusal) -> str:
    if isinstance(refusal, WrongState) and refusal.facts.get("by"):
        return desk.say("{by}刚才已经定了，请看下面。", by=refusal.facts["by"])
    if isinstance(refusal, BadMinutes) and refusal.facts.get("most"):
        return desk.say(
            "分钟数要在两边说的中间：{least}到{most}。",
            least=refusal.facts["least"],
            most=refusal.facts["most"],
        )
    return desk.words.refusal(refusal.code)


def alarms(desk: Desk) -> Response:
    with desk.reading() as session:
        open_now = standing.open_alarms(session)
        return desk.page(
            "alarms/list.html",
            open_now=open_now,
            when=near(desk),
            closed=handling.closed_alarms(session, limit=LAST_DECIDED),
            may_handle=desk.staff.may(Permission.HANDLE_VISITS),
            may_read=desk.staff.may(Permission.SEE_CONVERSATIONS),
        )


def alarm(desk: Desk) -> Response:
    alert_id = desk.path["alert_id"]
    with desk.reading() as session:
        alert = _alert(session, alert_id)
        names = {
            one: str(member(session, MemberId(one)).name)
            for step in alarm_calls.steps_of(session, alert)
            for one in step.people
        }
        places = alarm_calls.places_of(session, alert)
        may_handle = desk.staff.may(Permission.HANDLE_VISITS)
        return desk.page(
            "alarms/one.html",
            alert=alert,
            when=near(desk),
            steps=alarm_calls.steps_of(session, alert),
            names=names,
            refused=alarm_calls.refused(session, alert),
            place=places[-1] if places and may_handle else None,
            may_handle=may_handle,
            may_read=desk.staff.may(Permission.SEE_CONVERSATIONS),
        )


def _alert(session: Session, alert_id: int) -> Alert:
    alert = session.get(Alert, alert_id)
    if alert is None:
        raise NotFound
    return alert


def take(desk: Desk) -> Response:
    return _act(desk, "take")


def close(desk: Desk) -> Response:
    return _act(desk, "close")


def _act(desk: Desk, what: str) -> Response:
    alert_id = AlertId(desk.path["alert_id"])
    by, now = desk.staff.member_id, desk.now
    try:
        with desk.transaction() as session:
            if what == "take":
                alert = handling.take_alarm(session, by=by, alert_id=alert_id, now=now)
                said = "记好了：{name}那里您去。"
            else:
                hospital = desk.form.get("hospital") == "yes"
                alert = handling.close_alarm(
                    session, by=by, alert_id=alert_id, now=now, in_hospital=hospital
                )
                said = "记好了：{name}没事了。"
                if hospital:
                    said = "记好了：{name}送医院了。"
            desk.about(MemberId(alert.member_id))
            name = str(alert.member.name)
    except NothingOpen as unknown:
        raise NotFound from unknown
    except WrongState as late:
        if late.facts.get("by"):
            told = desk.say("{by}已经去了。", by=late.facts["by"])
            return desk.go(f"/alarms/{alert_id}", told)
        return desk.go(f"/alarms/{alert_id}", desk.say("这个警报已经结束了。"))
    return desk.go(f"/alarms/{alert_id}", desk.say(said, name=name))


ROUTES: Sequence[ConsoleRoute] = (
    ConsoleRoute("/disputes", disputes, Permission.SEE_CONVERSATIONS),
    ConsoleRoute("/disputes/{dispute_id:int}", dispute, Permission.SEE_CONVERSATIONS),
    ConsoleRoute("/disputes/{dispute_id:int}/decide", decide, Permission.MEDIATE, "POST"),
    ConsoleRoute("/alarms", alarms, Permission.SEE_TODAY),
    ConsoleRoute("/alarms/{alert_id:int}", alarm, Permission.SEE_TODAY),
    ConsoleRoute("/alarms/{alert_id:int}/take", take, Permission.HANDLE_VISITS, "POST"),
    ConsoleRoute("/alarms/{alert_id:int}/close", close, Permission.HANDLE_VISITS, "POST"),
)
