"""What waits for a second person: proposing a reversal or a grant, and deciding about it."""

from __future__ import annotations

from typing import Dict, Mapping, Optional

from sqlalchemy.orm import Session
from starlette.responses import Response

from actions.timebank import ledger
from actions.timebank.errors import NothingOpen, NotYours, Refusal
from actions.timebank.ids import AccountId, MemberId, ProposalId, TransferId
from actions.timebank.model import Proposal
from actions.timebank.staff import books, proposals, transfers
from actions.timebank.staff.movements import MOST_TO_A_MEMBER, MOST_TO_THE_FUND
from actions.timebank.staff.proposals import Effect
from actions.timebank.staff.roles import Permission
from actions.timebank.staff.states import (
    ProposalKind,
    ProposalState,
)
from actions.timebank.states import AccountKind
from bot.console import book_words
from bot.console.desk import ConsoleRoute, Desk, NotFound

A_PAGE = 30


def listed(desk: Desk) -> Response:
    state, before = _state(desk), desk.number("before")
    with desk.reading() as session:
        found = proposals.listed(
            session,
            state=state,
            limit=A_PAGE + 1,
            before=ProposalId(before) if before else None,
        )
        page = found[:A_PAGE]
        titles = {one.id: _title(desk, session, one) for one in page}
        more = ""
        if len(found) > A_PAGE:
            kept = f"&state={state.value}" if state else ""
            more = f"/console/proposals?before={page[-1].id}{kept}"
        return desk.page(
            "proposals/list.html",
            proposals=page,
            titles=titles,
            more=more,
            state=state,
            states=list(ProposalState),
        )


def one(desk: Desk) -> Response:
    return _show(desk, ProposalId(desk.path["proposal_id"]))


def _show(desk: Desk, proposal_id: ProposalId, problem: str = "", answer: str = "") -> Response:
    with desk.reading() as session:
        proposal = _proposal(session, proposal_id)
        still_open = proposal.state is ProposalState.PROPOSED
        effects = proposals.effects(session, proposal) if still_open else []
        obstacle = proposals.obstacle(session, proposal) if still_open else None
        about = proposal.reverses_id
        return desk.page(
            "proposals/one.html",
            status=409 if problem else 200,
            proposal=proposal,
            title=_title(desk, session, proposal),
            effects=effects,
            seen=_written(proposals.balances_after(effects)),
            owing=[effect for effect in effects if effect.below_zero],
            obstacle=book_words.why_not(desk, obstacle) if obstacle else "",
            mine=proposal.proposed_by_id == desk.staff.member_id,
            concerned=desk.staff.member_id in proposals.parties(session, proposal),
            kin=proposals.kin_among(session, proposal, desk.staff.member_id),
            proposers_kin=proposals.kin_among(session, proposal, MemberId(proposal.proposed_by_id)),
            wrong=transfers.entry(session, TransferId(about)) if about else None,
            moved=transfers.entry(session, TransferId(proposal.transfer_id))
            if proposal.transfer_id
            else None,
            told=lambda entry: book_words.told(desk, entry),
            side_name=lambda side: book_words.side_name(desk, side),
            problem=problem,
            answer=answer,
            longest=proposals.LONGEST_REASON,
        )


# -- proposing --------------------------------------------------------------------------------


def reversal_form(desk: Desk) -> Response:
    return _reversal(desk)


def _reversal(desk: Desk, problem: str = "", reason: str = "") -> Response:
    transfer_id = TransferId(_number(desk, "transfer_id"))
    with desk.reading() as session:
        try:
            entry = transfers.entry(session, transfer_id)
        except NothingOpen as nothing:
            raise NotFound from nothing
        effects = proposals.effects_of_reversal(session, transfer_id)
        return desk.page(
            "proposals/reversal.html",
            status=409 if problem else 200,
            entry=entry,
            sentence=book_words.told(desk, entry),
            effects=effects,
            owing=[effect for effect in effects if effect.below_zero],
            problem=problem,
            reason=reason,
            longest=proposals.LONGEST_REASON,
        )


def propose_reversal(desk: Desk) -> Response:
    transfer_id, reason = TransferId(_number(desk, "transfer_id")), desk.form.get("reason", "")
    try:
        with desk.transaction() as session:
            made = proposals.propose_reversal(
                session,
                by=desk.staff.member_id,
                transfer_id=transfer_id,
                reason=reason,
                now=desk.now,
            )
            proposal_id = made.id
    except NotYours:
        raise
    except Refusal as refusal:
        return _reversal(desk, book_words.why_not(desk, refusal), reason)
    return desk.go(f"/proposals/{proposal_id}", desk.say("提好了，等另一个人来批准。"))


def grant_form(desk: Desk) -> Response:
    return _grant(desk)


def _grant(desk: Desk, problem: str = "") -> Response:
    with desk.reading() as session:
        fund = ledger.fund_account(session)
        try:
            to = books.account(session, AccountId(desk.number("account_id") or fund.id))
        except NothingOpen as nothing:
            raise NotFound from nothing
        to_fund = to.kind is AccountKind.FUND
        return desk.page(
            "proposals/grant.html",
            status=409 if problem else 200,
            to=to,
            to_fund=to_fund,
            fund=ledger.balance(session, AccountId(fund.id)),
            most=MOST_TO_THE_FUND if to_fund else MOST_TO_A_MEMBER,
            problem=problem,
            given={name: desk.form.get(name, "") for name in ("hours", "minutes", "reason")},
            source=desk.form.get("source", AccountKind.SYSTEM.value),
            longest=proposals.LONGEST_REASON,
        )


def propose_grant(desk: Desk) -> Response:
    account_id = AccountId(_number(desk, "account_id"))
    from_fund = desk.form.get("source") == AccountKind.FUND.value
    try:
        with desk.transaction() as session:
            made = proposals.propose_grant(
                session,
                by=desk.staff.member_id,
                account_id=account_id,
                minutes=_amount(desk),
                source=AccountKind.FUND if from_fund else AccountKind.SYSTEM,
                reason=desk.form.get("reason", ""),
                now=desk.now,
            )
            proposal_id = made.id
    except NotYours:
        raise
    except Refusal as refusal:
        return _grant(desk, book_words.why_not(desk, refusal))
    return desk.go(f"/proposals/{proposal_id}", desk.say("提好了，等另一个人来批准。"))


# -- deciding ---------------------------------------------------------------------------------


def approve(desk: Desk) -> Response:
    proposal_id = ProposalId(desk.path["proposal_id"])
    seen = _read(desk.form.get("seen", ""))
    try:
        with desk.transaction() as session:
            _proposal(session, proposal_id)
            proposals.approve(
                session, proposal_id=proposal_id, by=desk.staff.member_id, seen=seen, now=desk.now
            )
    except NotYours:
        raise
    except Refusal as refusal:
        return _show(desk, proposal_id, book_words.why_not(desk, refusal))
    return desk.go(f"/proposals/{proposal_id}", desk.say("批准了，时间已经记好，本人会听到。"))


def reject(desk: Desk) -> Response:
    proposal_id, answer = ProposalId(desk.path["proposal_id"]), desk.form.get("answer", "")
    try:
        with desk.transaction() as session:
            _proposal(session, proposal_id)
            proposals.reject(
                session,
                proposal_id=proposal_id,
                by=desk.staff.member_id,
                answer=answer,
                now=desk.now,
            )
    except NotYours:
        raise
    except Refusal as refusal:
        return _show(desk, proposal_id, book_words.why_not(desk, refusal), answer)
    return desk.go(f"/proposals/{proposal_id}", desk.say("没有批准，什么都没动。"))


def withdraw(desk: Desk) -> Response:
    proposal_id = ProposalId(desk.path["proposal_id"])
    try:
        with desk.transaction() as session:
            _proposal(session, proposal_id)
            proposals.withdraw(
                session, proposal_id=proposal_id, by=desk.staff.member_id, now=desk.now
            )
    except NotYours:
        raise
    except Refusal as refusal:
        return _show(desk, proposal_id, book_words.why_not(desk, refusal))
    return desk.go(f"/proposals/{proposal_id}", desk.say("收回了，什么都没动。"))


# -- what was asked ---------------------------------------------------------------------------


def _proposal(session: Session, proposal_id: ProposalId) -> Proposal:
    try:
        return proposals.proposal(session, proposal_id)
    except NothingOpen as nothing:
        raise NotFound from nothing


def _title(desk: Desk, session: Session, proposal: Proposal) -> str:
    """冲正第12笔：张秀英帮王奶奶：买东西."""
    if proposal.kind is ProposalKind.REVERSAL:
        wrong = transfers.entry(session, TransferId(proposal.reverses_id))
        what = book_words.told(desk, wrong)
        return desk.say("冲正第{number}笔：{what}", number=wrong.transfer_id, what=what)
    if proposal.kind is ProposalKind.GRANT:
        to = books.account(session, AccountId(proposal.account_id))
        name = to.name or desk.words.label(to.kind)
        minutes = desk.words.minutes(proposal.minutes)
        if proposal.source is AccountKind.FUND:
            return desk.say("从公益时间给{name}{minutes}", name=name, minutes=minutes)
        return desk.say("发给{name}{minutes}", name=name, minutes=minutes)
    return desk.say("把{double}并进{kept}", double=proposal.double.name, kept=proposal.kept.name)


def _state(desk: Desk) -> Optional[ProposalState]:
    try:
        return ProposalState(desk.query.get("state", ""))
    except ValueError:
        return None


def _number(desk: Desk, name: str) -> int:
    number = desk.number(name)
    if number is None:
        raise NotFound
    return number


def _amount(desk: Desk) -> int:
    """Hours and minutes from the form, together; 0, which is refused, for what is no number."""
    together = 0
    for name, each in (("hours", 60), ("minutes", 1)):
        text = desk.form.get(name, "").strip()
        if text and not (text.isascii() and text.isdigit() and len(text) <= 6):
            return 0
        together += each * int(text or 0)
    return together


def _written(balances: Mapping[AccountId, int]) -> str:
    return ",".join(f"{account}:{minutes}" for account, minutes in sorted(balances.items()))


def _read(text: str) -> Dict[AccountId, int]:
    """What `_written` wrote; nothing, which fits no proposal, when somebody played with it."""
    try:
        pairs = [pair.split(":") for pair in text.split(",")]
        return {AccountId(int(account)): int(minutes) for account, minutes in pairs}
    except ValueError:
        return {}


__all__ = ["ROUTES", "Effect"]


def _post(path: str, handler: object, permission: Permission) -> ConsoleRoute:
    return ConsoleRoute(path, handler, permission, "POST")  # type: ignore[arg-type]


ROUTES = (
    ConsoleRoute("/proposals", listed, Permission.APPROVE_MOVEMENT),
    ConsoleRoute("/proposals/reversal", reversal_form, Permission.PROPOSE_MOVEMENT),
    _post("/proposals/reversal", propose_reversal, Permission.PROPOSE_MOVEMENT),
    ConsoleRoute("/proposals/grant", grant_form, Permission.PROPOSE_MOVEMENT),
    _post("/proposals/grant", propose_grant, Permission.PROPOSE_MOVEMENT),
    ConsoleRoute("/proposals/{proposal_id:int}", one, Permission.APPROVE_MOVEMENT),
    _post("/proposals/{proposal_id:int}/approve", approve, Permission.APPROVE_MOVEMENT),
    _post("/proposals/{proposal_id:int}/reject", reject, Permission.APPROVE_MOVEMENT),
    # Whoever may propose a merge may not propose movements; the core asks who proposed it.
    _post("/proposals/{proposal_id:int}/withdraw", withdraw, Permission.APPROVE_MOVEMENT),
)
