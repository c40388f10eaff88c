"""The states that things pass through, each with its machine drawn above it."""

from enum import Enum


class ServiceKind(str, Enum):
    MEALS = "meals"
    CLEANING = "cleaning"
    SHOPPING = "shopping"
    ERRAND = "errand"
    ESCORT_MEDICAL = "escort_medical"
    ESCORT_WALK = "escort_walk"
    REPAIR = "repair"
    COMPANIONSHIP = "companionship"
    BATHING = "bathing"
    HAIRCUT = "haircut"
    FARM_WORK = "farm_work"
    URGENT_HELP = "urgent_help"


TRAINED_ONLY = frozenset({ServiceKind.BATHING})
NEVER_REFUSED = frozenset({ServiceKind.MEALS, ServiceKind.URGENT_HELP})
"""Basic needs that the village fund stands behind when an elder has no hours left."""


#   open ──push──▶ offered ──accept──▶ assigned ──start──▶ in_progress
#    ▲                │                  │   │                 │
#    └──nobody left───┘                  │   └──────claim──────┴──▶ claimed
#    ▲                                   │
#    └──────helper steps back────────────┘
#   claimed ──confirm──▶ confirmed
#   claimed ──minutes differ──▶ disputed ──resolve──▶ confirmed
#   assigned, in_progress ──no show──▶ disputed ──resolve──▶ cancelled
#   open, offered, assigned ──cancel──▶ cancelled
#   open, offered ──too late──▶ expired
class RequestState(str, Enum):
    OPEN = "open"
    OFFERED = "offered"
    ASSIGNED = "assigned"
    IN_PROGRESS = "in_progress"
    CLAIMED = "claimed"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    DISPUTED = "disputed"


#   pending ──accept──▶ accepted
#      │ └──decline──▶ declined
#      ├──time limit──▶ expired
#      └──request cancelled or changed──▶ withdrawn
class OfferState(str, Enum):
    PENDING = "pending"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    EXPIRED = "expired"
    WITHDRAWN = "withdrawn"


#   active ──settled──▶ done
#      └──cancelled, stepped back, no show──▶ released
class AssignmentState(str, Enum):
    ACTIVE = "active"
    DONE = "done"
    RELEASED = "released"


#   pending ──visit settled──▶ posted
#      ├──cancelled──▶ voided
#      └──visit never came──▶ expired
class HoldState(str, Enum):
    PENDING = "pending"
    POSTED = "posted"
    VOIDED = "voided"
    EXPIRED = "expired"


class TransferKind(str, Enum):
    SETTLEMENT = "settlement"
    """Hours for a visit that both sides confirmed."""
    GIFT = "gift"
    REISSUE = "reissue"
    """New hours from the system account: opening balances and fund grants."""
    REVERSAL = "reversal"
    MERGE = "merge"
    """Hours of somebody who was in the roll twice, from one of his accounts to the other."""


class AccountKind(str, Enum):
    MEMBER = "member"
    FUND = "fund"
    SYSTEM = "system"
    """The other side of reissues; the only account that may be below zero."""


class Party(str, Enum):
    ELDER = "elder"
    HELPER = "helper"


class DayPart(str, Enum):
    MORNING = "morning"
    """Before noon."""
    AFTERNOON = "afternoon"
    """From noon to six."""
    EVENING = "evening"


class PriorityClass(str, Enum):
    """Whom the village looks after first; a member may be in several or in none."""

    OLD_AND_ALONE = "old_and_alone"
    """高龄独居"""
    LOW_INCOME = "low_income"
    """低保"""
    DESTITUTE = "destitute"
    """五保, 特困"""
    DISABLED = "disabled"
    """失能, 半失能"""
    LOST_ONLY_CHILD = "lost_only_child"
    """计生特殊家庭"""
    CHILDREN_AWAY = "children_away"
    """空巢"""


class LeavingReason(str, Enum):
    """Why a member is no longer one. Nobody is told of a death by a machine."""

    MOVED = "moved"
    WISHED = "wished"
    DIED = "died"


class RelationKind(str, Enum):
    SPOUSE = "spouse"
    KIN = "kin"
    NEIGHBOUR = "neighbour"


#   open ──mediator decides──▶ resolved
class DisputeState(str, Enum):
    OPEN = "open"
    RESOLVED = "resolved"


class DisputeKind(str, Enum):
    MINUTES_DIFFER = "minutes_differ"
    NO_SHOW = "no_show"
    COMPLAINT = "complaint"


#   raised ──somebody takes it──▶ taken ──all is well──▶ closed
#      │ ▲                           │
#      │ └──given back, not closed in time, more help needed
#      └──she says it is nothing, or answers─────────────────▶ closed
class AlertState(str, Enum):
    RAISED = "raised"
    TAKEN = "taken"
    CLOSED = "closed"


class AlertKind(str, Enum):
    EMERGENCY = "emergency"
    MISSED_CHECK_IN = "missed_check_in"


class AlarmWhy(str, Enum):
    """Why people were called at one step of an alarm."""

    RAISED = "raised"
    CRIED_AGAIN = "cried_again"
    CLIMBED = "climbed"
    """Nobody had taken it in the time that the chain allows."""
    AGAIN = "again"
    """The chain was at its end and nobody had taken it."""
    ASKED_IF_WELL = "asked_if_well"
    """Whoever took it was asked how she is."""
    NOT_CLOSED = "not_closed"
    """Whoever took it did not say in time how she is."""
    GIVEN_BACK = "given_back"
    MORE_NEEDED = "more_needed"


#   waiting ──its time──▶ asked ──a turn of hers──▶ answered
#      │                    ├──asked again, and silent──▶ missed
#      │                    └──asked no more──▶ cancelled
#      ├──she had spoken that day──▶ answered
#      └──asked no more──▶ cancelled
class CheckInState(str, Enum):
    WAITING = "waiting"
    ASKED = "asked"
    ANSWERED = "answered"
    MISSED = "missed"
    CANCELLED = "cancelled"


class Rhythm(str, Enum):
    """How often a member wishes to be asked how she is."""

    DAILY = "daily"
    WEEKLY = "weekly"
    NEVER = "never"


#   queued ──channel confirms──▶ delivered
class NoticeState(str, Enum):
    QUEUED = "queued"
    DELIVERED = "delivered"


#   begun ──▶ answered | repaired | refused | failed
class TurnOutcome(str, Enum):
    BEGUN = "begun"
    ANSWERED = "answered"
    REPAIRED = "repaired"
    """Nothing certain was heard or understood; the person was asked again."""
    REFUSED = "refused"
    """The message itself could not be taken: too long, not audio, revoked link."""
    FAILED = "failed"
    """A part of the machine was away or broken; an apology was spoken."""


#   waiting ──its time──▶ told ──she answers──▶ answered
#      │                    ├──half an hour without an answer──▶ given_up
#      │                    └──she wants it no more──▶ cancelled
#      ├──she wants it no more──▶ cancelled
#      └──its half hour passed untold──▶ given_up
# A daily reminder that ends by itself is followed by the next day's, a row of its own.
class ReminderState(str, Enum):
    WAITING = "waiting"
    TOLD = "told"
    ANSWERED = "answered"
    GIVEN_UP = "given_up"
    CANCELLED = "cancelled"


class ConsentKind(str, Enum):
    RECORDING = "recording"


class ConsentStep(str, Enum):
    """What happened to a consent; the newest of given and revoked counts."""

    ASKED = "asked"
    GIVEN = "given"
    REVOKED = "revoked"


class Channel(str, Enum):
    """A messenger through which people can reach 小帮 after joining."""

    TELEGRAM = "telegram"


#   unused ──scanned──▶ asked ──her yes──▶ used
#     │  ▲                │
#     │  └──no, too slow──┤
#     └──a newer card───┴──▶ void
# A card also ends by `expires_at`; the clock says so, no state does.
class CardState(str, Enum):
    UNUSED = "unused"
    ASKED = "asked"
    """One chat is being asked whether its person is the one on the card."""
    USED = "used"
    VOID = "void"


#   waiting ──its turn──▶ sending ──the messenger has it──▶ sent
#    ▲ ▲ │                │ │ └──she blocked us──▶ blocked ──she is back──▶ waiting
#    │ │ │                │ └──refused, or unknown too often──▶ given_up
#    │ │ │                └──not reached, or nobody knows──▶ waiting
#    │ └─┼──not its time: quiet hours
#    │   └──heard elsewhere, no longer true, or old──▶ dropped
#    └──a notice is queued for somebody who has a chat
class DeliveryState(str, Enum):
    WAITING = "waiting"
    SENDING = "sending"
    """On its way. After a crash nobody knows whether the messenger has it."""
    SENT = "sent"
    BLOCKED = "blocked"
    GIVEN_UP = "given_up"
    """Handed to the staff."""
    DROPPED = "dropped"


class Urgency(str, Enum):
    """Each person has a queue of each; their order is kept within it. The values sort from the
    last to the first."""

    ORDINARY = "ordinary"
    SILENT = "silent"
    """Changes an older message; nobody is disturbed by it at any hour."""
    URGENT = "urgent"


#   proposed ──she says yes──▶ given ──half a year without a new yes──▶ lapsed
#      │                         └──she, he or staff end it, or a new yes replaces it──▶ ended
#      ├──she says no──▶ refused
#      ├──taken back or replaced──▶ ended
#      └──two weeks without an answer──▶ lapsed
# A renewal is a proposal of its own beside the delegation that runs out.
class DelegationState(str, Enum):
    PROPOSED = "proposed"
    GIVEN = "given"
    ENDED = "ended"
    REFUSED = "refused"
    LAPSED = "lapsed"


class DelegateScope(str, Enum):
    """What an elder may allow a delegate. Nothing else is done for her by anybody."""

    SEE_REQUESTS = "see_requests"
    SEE_BALANCE = "see_balance"
    ASK_HELP = "ask_help"
    ALARMS = "alarms"
