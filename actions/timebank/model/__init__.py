"""The shared database. Time is integer minutes; every datetime is aware and stored as UTC.

Balances are derived and never stored.
"""

from actions.timebank.model.books import Account, Hold, Posting, Transfer
from actions.timebank.model.columns import AwareDateTime, Base, Choice, one_of
from actions.timebank.model.exchanges import (
    Assignment,
    Confirmation,
    Dispute,
    Offer,
    ServiceRequest,
    Visit,
)
from actions.timebank.model.talks import AlarmQuestion, Alert, Deed, Notice, Turn
from actions.timebank.model.village import Group, Lane, Member, Relation, Skill

__all__ = [
    "Account",
    "AlarmQuestion",
    "Alert",
    "Assignment",
    "AwareDateTime",
    "Base",
    "Choice",
    "Confirmation",
    "Deed",
    "Dispute",
    "Group",
    "Hold",
    "Lane",
    "Member",
    "Notice",
    "Offer",
    "Posting",
    "Relation",
    "ServiceRequest",
    "Skill",
    "Transfer",
    "Turn",
    "Visit",
    "one_of",
]
