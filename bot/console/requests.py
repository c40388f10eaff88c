"""One request: how it stands, who could be asked, what was said of it."""

from __future__ import annotations

from typing import List, Sequence

from starlette.responses import Response

from actions.timebank.errors import NothingOpen
from actions.timebank.ids import MemberId, RequestId
from actions.timebank.matching import Candidate
from actions.timebank.staff import handling, story, visitors
from actions.timebank.staff.roles import Permission
from actions.timebank.states import OfferState
from bot.console.desk import ConsoleRoute, Desk, NotFound
from bot.console.explaining import explained, why
from bot.console.when import near


def one(desk: Desk) -> Response:
    request_id = RequestId(desk.path["request_id"])
    may_handle = desk.staff.may(Permission.HANDLE_VISITS)
    with desk.reading() as session:
        try:
            told = story.story(session, request_id)
        except NothingOpen as unknown:
            raise NotFound from unknown
        request = told.request
        elder = str(request.elder.name)
        able: List[Candidate] = []
        besides: List[Candidate] = []
        if may_handle:
            able, besides = handling.neighbours_for(session, request, now=desk.now)
        asked = next((o for o in told.offers if o.state is OfferState.PENDING), None)
        people = {MemberId(request.elder_id)}
        if asked is not None:
            people.add(MemberId(asked.helper_id))
        if told.promise is not None:
            people.add(MemberId(told.promise.helper_id))
        sayings = [
            (person, say)
            for person in sorted(people)
            for say in visitors.sayings(session, person, now=desk.now)
            if say.request.id == request_id
        ]
        return desk.page(
            "requests/one.html",
            told=told,
            when=near(desk),
            request=request,
            asked=asked,
            asked_why=why(desk, asked.why, elder) if asked is not None else "",
            able=explained(desk, able, elder),
            besides=explained(
                desk,
                [c for c in besides if asked is None or c.helper.id != asked.helper_id],
                elder,
            ),
            sayings=sayings if may_handle else [],
            may_handle=may_handle,
            may_read=desk.staff.may(Permission.SEE_CONVERSATIONS),
        )


def ask(desk: Desk) -> Response:
    """Another neighbour is asked, now."""
    request_id, helper = desk.path["request_id"], desk.number("helper")
    if helper is None:
        raise NotFound
    with desk.transaction() as session:
        offer = handling.ask(
            session,
            by=desk.staff.member_id,
            request_id=RequestId(request_id),
            helper=MemberId(helper),
            now=desk.now,
        )
        desk.about(MemberId(offer.request.elder_id))
        name = str(offer.helper.name)
    return desk.go(f"/requests/{request_id}", desk.say("正在问{name}。", name=name))


ROUTES: Sequence[ConsoleRoute] = (
    ConsoleRoute("/requests/{request_id:int}", one, Permission.SEE_TODAY),
    ConsoleRoute("/requests/{request_id:int}/ask", ask, Permission.HANDLE_VISITS, "POST"),
)
