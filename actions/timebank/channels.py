"""Everything about messengers in one place: who speaks from which chat, how a chat joins, what
was sent there to be pressed, and what was answered before."""

from actions.timebank.bindings import (
    binding_at,
    binding_of,
    mark_reachable,
    mark_unreachable,
    unbind,
)
from actions.timebank.buttons import kill_buttons, kill_earlier, make_buttons, press
from actions.timebank.channel_updates import begin_update, finish_update
from actions.timebank.join_cards import issue_card
from actions.timebank.joining import count_try, join, joining, show_card, stop_joining

__all__ = [
    "begin_update",
    "binding_at",
    "binding_of",
    "count_try",
    "finish_update",
    "issue_card",
    "join",
    "joining",
    "kill_buttons",
    "kill_earlier",
    "make_buttons",
    "mark_reachable",
    "mark_unreachable",
    "press",
    "show_card",
    "stop_joining",
    "unbind",
]
