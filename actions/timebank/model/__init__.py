"""The shared database. Time is integer minutes; every datetime is aware and stored as UTC.

Balances are derived and never stored.
"""

from actions.timebank.model.books import Account, Hold, Posting, Transfer
from actions.timebank.model.caring import Consent, Reminder, Wellbeing
from actions.timebank.model.columns import AwareDateTime, Base, Choice, one_of
from actions.timebank.model.exchanges import (
    Assignment,
    Confirmation,
    Dispute,
    Offer,
    Rating,
    ServiceRequest,
    Visit,
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
    "AlarmQuestion",
    "Alert",
    "Assignment",
    "Availability",
    "AwareDateTime",
    "Base",
    "Choice",
    "Confirmation",
    "Consent",
    "Deed",
    "Dispute",
    "DoNotAsk",
    "Group",
    "Hold",
    "Lane",
    "Member",
    "Notice",
    "Offer",
    "Posting",
    "Rating",
    "Relation",
    "Reminder",
    "ServiceRequest",
    "Skill",
    "Transfer",
    "Turn",
    "Visit",
    "Wellbeing",
    "one_of",
]
