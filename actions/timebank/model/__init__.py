"""The shared database. Time is integer minutes; every datetime is aware and stored as UTC.

Balances are derived and never stored.
"""

from actions.timebank.model.alarms import AlarmPlace, AlarmRefusal, AlarmStep
from actions.timebank.model.books import Account, ChainCheck, Hold, Posting, Transfer
from actions.timebank.model.broadcasts import Broadcast, BroadcastListener, BroadcastVisit
from actions.timebank.model.caring import Consent, Reminder, Wellbeing
from actions.timebank.model.channels import (
    CardTry,
    ChannelBinding,
    ChannelUpdate,
    JoinCard,
    SentButton,
)
from actions.timebank.model.check_ins import CheckIn, CheckInWish
from actions.timebank.model.columns import AwareDateTime, Base, Choice, one_of
from actions.timebank.model.counter import InPersonDeed
from actions.timebank.model.deliveries import Delivery
from actions.timebank.model.exchanges import (
    Assignment,
    Confirmation,
    Dispute,
    Offer,
    Rating,
    ServiceRequest,
    Visit,
)
from actions.timebank.model.family import Delegation, DelegationGrant
from actions.timebank.model.honours import HonourWish
from actions.timebank.model.proposals import Proposal
from actions.timebank.model.register import MemberChange, MemberPriority, Training
from actions.timebank.model.review import (
    CallBack,
    Correction,
    FailureCare,
    TrainingDecision,
    TurnNote,
    VillageWord,
)
from actions.timebank.model.roll import Merge, RollImport
from actions.timebank.model.staff import (
    LoginTry,
    StaffAccount,
    StaffDeed,
    StaffRole,
    StaffSession,
)
from actions.timebank.model.talks import AlarmQuestion, Alert, Deed, Notice, Turn
from actions.timebank.model.village import (
    Availability,
    DoNotAsk,
    Group,
    Lane,
    Member,
    Relation,
    Skill,
)

__all__ = [
    "Account",
    "AlarmPlace",
    "AlarmQuestion",
    "AlarmRefusal",
    "AlarmStep",
    "Alert",
    "Assignment",
    "Availability",
    "AwareDateTime",
    "Base",
    "Broadcast",
    "BroadcastListener",
    "BroadcastVisit",
    "CallBack",
    "CardTry",
    "ChainCheck",
    "ChannelBinding",
    "ChannelUpdate",
    "CheckIn",
    "CheckInWish",
    "Choice",
    "Confirmation",
    "Consent",
    "Correction",
    "Deed",
    "Delegation",
    "DelegationGrant",
    "Delivery",
    "Dispute",
    "DoNotAsk",
    "FailureCare",
    "Group",
    "Hold",
    "HonourWish",
    "InPersonDeed",
    "JoinCard",
    "Lane",
    "LoginTry",
    "Member",
    "MemberChange",
    "MemberPriority",
    "Merge",
    "Notice",
    "Offer",
    "Posting",
    "Proposal",
    "Rating",
    "Relation",
    "Reminder",
    "RollImport",
    "SentButton",
    "ServiceRequest",
    "Skill",
    "StaffAccount",
    "StaffDeed",
    "StaffRole",
    "StaffSession",
    "Training",
    "TrainingDecision",
    "Transfer",
    "Turn",
    "TurnNote",
    "VillageWord",
    "Visit",
    "Wellbeing",
    "one_of",
]
