"""The states of what staff do in their console, each with its machine drawn above it."""

from enum import Enum


class CounterDeed(str, Enum):
    """What staff may write down for somebody who came in person. Nothing else is said for her."""

    REQUEST = "request"
    CHANGE = "change"
    CANCEL = "cancel"
    CONFIRM = "confirm"
    REPORT_DONE = "report_done"
    NO_SHOW = "no_show"
    COMPLAIN = "complain"
    ACCEPT = "accept"
    DECLINE = "decline"
    """Also stepping back from a promise."""


#   new ──somebody takes it──▶ taken ──called back, or nothing to do──▶ settled
#   │ ▲                          │ ▲                                     │ │
#   │ ├────────given back────────┘ └───────────taken up once more────────┘ │
#   │ └───────────────the same conversation failed once more───────────────┘
#   └──called back, or nothing to do──▶ settled
# A conversation that nobody ever took is new and has no row.
class FailureState(str, Enum):
    """Where a conversation that went wrong stands."""

    NEW = "new"
    TAKEN = "taken"
    SETTLED = "settled"


class CallBackResult(str, Enum):
    HELPED = "helped"
    VISITED = "visited"
    """Somebody went to see her."""
    NOT_NEEDED = "not_needed"
    """She wanted nothing, or it was settled already."""
    NOT_REACHED = "not_reached"


#   waiting ──a second person──▶ accepted ──taken out again──▶ withdrawn
#      └──────a second person──▶ refused
# A correction is never edited: a new version of it waits anew, and once accepted it replaces the
# one before.
class TrainingState(str, Enum):
    """Whether what staff wrote may be trained on."""

    WAITING = "waiting"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class WordKind(str, Enum):
    """What a word of the village's own lexicon is."""

    PLACE = "place"
    NICKNAME = "nickname"
    DIALECT = "dialect"


class Viewed(str, Enum):
    """What of a member somebody of the staff looked at."""

    CONVERSATION = "conversation"
    RECORDING = "recording"
    PASSBOOK = "passbook"
    PERSON = "person"


#   draft ──heard by ear──▶ proposed ──a second person──▶ sending ──told, or old news──▶ sent
#     │                        │ └──a second person──▶ rejected  └──▶ stopped
#     └───────taken back───────┴──▶ withdrawn
# Its words change only while it is a draft.
class BroadcastState(str, Enum):
    DRAFT = "draft"
    PROPOSED = "proposed"
    SENDING = "sending"
    SENT = "sent"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    STOPPED = "stopped"
    """What was not told yet is told no more."""


class Audience(str, Enum):
    """Whom a broadcast is for; of each only who is a member when it is approved."""

    EVERYBODY = "everybody"
    GROUP = "group"
    LANE = "lane"
    HELPERS = "helpers"
    ALONE = "alone"
    """Those who live alone."""
    MEMBERS = "members"
    """Single ones, by name."""


class ProposalKind(str, Enum):
    """What one of the staff may propose and a second one lets happen."""

    REVERSAL = "reversal"
    GRANT = "grant"
    MERGE = "merge"


#   proposed ──a second person says yes, and it is done──▶ approved
#      ├──a second person says no──▶ rejected
#      └──the first takes it back──▶ withdrawn
class ProposalState(str, Enum):
    PROPOSED = "proposed"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


class Reached(str, Enum):
    """Whether somebody has heard a broadcast and how, or why not."""

    CHAT = "chat"
    """Her messenger has it."""
    PAGE = "page"
    """She heard it on her talk page."""
    IN_PERSON = "in_person"
    ON_ITS_WAY = "on_its_way"
    NO_CHAT = "no_chat"
    """She has no messenger: she hears it when she next opens her page."""
    BLOCKED = "blocked"
    GIVEN_UP = "given_up"
    """Her messenger did not take it; the coordinators were told."""
    DROPPED = "dropped"
    """Stopped, or news no more."""
