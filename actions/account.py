"""The hours: how many there are, and where each came from or went."""

from __future__ import annotations

from typing import Any, Dict, List

from rasa_sdk.events import EventType

from actions import family, wording
from actions.base import Talk, VillageAction
from actions.timebank import ledger
from actions.timebank.history import LedgerLine, history
from actions.timebank.ids import AccountId
from actions.timebank.states import TransferKind

LINES_TOLD = 3
"""How many movements are told in one answer; more would not be remembered."""


class ActionCheckBalance(VillageAction):
    """A balance is told as a sum: 原来…加上…现在… (rule 19)."""

    def name(self) -> str:
        return "action_check_balance"

    def act(self, talk: Talk) -> List[EventType]:
        for_elder = family.seen_balance(talk)
        if for_elder is not None:
            return for_elder
        account = ledger.account_of(talk.session, talk.me)
        balance = ledger.balance(talk.session, AccountId(account.id))
        newest = history(talk.session, talk.me, limit=1)
        if newest:
            talk.say(f"utter_balance_after_{_what_happened(newest[0])}", **_as_sum(talk, newest[0]))
        else:
            talk.say("utter_balance_plain", now=wording.minutes(balance.posted))
        if balance.held:
            talk.say("utter_balance_held", held=wording.minutes(balance.held))
        return []


class ActionExplainHistory(VillageAction):
    def name(self) -> str:
        return "action_explain_history"

    def act(self, talk: Talk) -> List[EventType]:
        for_elder = family.no_history(talk)
        if for_elder is not None:
            return for_elder
        lines = history(talk.session, talk.me, limit=LINES_TOLD)
        if not lines:
            talk.say("utter_history_none")
            return []
        for line in lines:
            talk.say(f"utter_history_{line.told_as}", **_as_sum(talk, line))
        talk.say("utter_history_end", coordinator=talk.coordinator())
        return []


def _what_happened(line: LedgerLine) -> str:
    if line.kind is TransferKind.SETTLEMENT:
        return "spending" if line.minutes < 0 else "earning"
    if line.kind is TransferKind.GIFT:
        return "giving" if line.minutes < 0 else "receiving"
    if line.kind is TransferKind.MERGE:
        return "merging" if line.minutes > 0 else "merging_a_debt"
    if line.kind is TransferKind.REISSUE and line.balance_after == line.minutes:
        return "opening"
    return "other"


def _as_sum(talk: Talk, line: LedgerLine) -> Dict[str, Any]:
    return {
        "before": wording.minutes(line.balance_before),
        "minutes": wording.minutes(abs(line.minutes)),
        "now": wording.minutes(line.balance_after),
        "day": line.day.isoformat(),
        "other": line.other_name or talk.phrase("utter_the_fund"),
        "kind": wording.kind(talk.domain, line.service_kind) if line.service_kind else "",
    }
