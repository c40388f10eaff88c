"""Who of the staff may do what: each role opens what its work needs and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum


class Role(str, Enum):
    COORDINATOR = "coordinator"
    MEDIATOR = "mediator"
    BOOKKEEPER = "bookkeeper"
    VIEWER = "viewer"
    ADMINISTRATOR = "administrator"


class Permission(str, Enum):
    SEE_TODAY = "see_today"
    SEE_REPORTS = "see_reports"
    SEE_PEOPLE = "see_people"
    EDIT_PEOPLE = "edit_people"
    """Also cards, import, export, and proposing to merge doubles."""
    HANDLE_VISITS = "handle_visits"
    """Requests, visits, alarms, and acting for who came in person."""
    MEDIATE = "mediate"
    SEE_CONVERSATIONS = "see_conversations"
    HEAR_RECORDINGS = "hear_recordings"
    CORRECT_CONVERSATIONS = "correct_conversations"
    REVIEW_TRAINING = "review_training"
    SEE_BOOKS = "see_books"
    PROPOSE_MOVEMENT = "propose_movement"
    APPROVE_MOVEMENT = "approve_movement"
    PROPOSE_BROADCAST = "propose_broadcast"
    APPROVE_BROADCAST = "approve_broadcast"
    MANAGE_STAFF = "manage_staff"
    SEE_AUDIT = "see_audit"


_EVERYBODY = frozenset({Permission.SEE_TODAY, Permission.SEE_REPORTS, Permission.SEE_PEOPLE})

PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.COORDINATOR: _EVERYBODY
    | {
        Permission.EDIT_PEOPLE,
        Permission.HANDLE_VISITS,
        Permission.SEE_CONVERSATIONS,
        Permission.HEAR_RECORDINGS,
        Permission.CORRECT_CONVERSATIONS,
        Permission.REVIEW_TRAINING,
        Permission.APPROVE_MOVEMENT,
        Permission.PROPOSE_BROADCAST,
        Permission.APPROVE_BROADCAST,
    },
    Role.MEDIATOR: _EVERYBODY
    | {
        Permission.MEDIATE,
        Permission.SEE_CONVERSATIONS,
        Permission.HEAR_RECORDINGS,
        Permission.CORRECT_CONVERSATIONS,
        Permission.REVIEW_TRAINING,
        Permission.SEE_BOOKS,
        Permission.PROPOSE_MOVEMENT,
        Permission.APPROVE_MOVEMENT,
        Permission.PROPOSE_BROADCAST,
        Permission.APPROVE_BROADCAST,
    },
    Role.BOOKKEEPER: _EVERYBODY
    | {Permission.SEE_BOOKS, Permission.PROPOSE_MOVEMENT, Permission.APPROVE_MOVEMENT},
    Role.VIEWER: _EVERYBODY | {Permission.SEE_CONVERSATIONS},
    Role.ADMINISTRATOR: _EVERYBODY
    | {
        Permission.EDIT_PEOPLE,
        Permission.REVIEW_TRAINING,
        Permission.MANAGE_STAFF,
        Permission.SEE_AUDIT,
    },
}


def permissions_of(roles: Iterable[Role]) -> frozenset[Permission]:
    """All that these roles together open."""
    return frozenset().union(*(PERMISSIONS[role] for role in roles))
