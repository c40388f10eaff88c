"""Members who are likely to be one person, entered twice.

Finding is guessing: whoever decides sees both side by side (see `merging`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from itertools import combinations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from actions.timebank import ledger, members
from actions.timebank.ids import MemberId
from actions.timebank.model import ChannelBinding, Member, Posting, Turn
from actions.timebank.staff import roll
from actions.timebank.staff.obstacles import Obstacle, obstacles
from actions.timebank.states import Channel, ServiceKind


class Alike(str, Enum):
    """In what two members agree; the stronger signs stand first."""

    SAME_NAME = "same_name"
    SOUNDS_ALIKE = "sounds_alike"
    """Another spelling, the same sound."""
    NICKNAME = "nickname"
    """The same nickname, or the one is called as the other is named."""
    SAME_BIRTH_YEAR = "same_birth_year"
    SAME_LANE = "same_lane"
    SAME_PLACE = "same_place"


BY_NAME = frozenset({Alike.SAME_NAME, Alike.SOUNDS_ALIKE, Alike.NICKNAME})

Sounds = Callable[[str], Hashable]


@dataclass(frozen=True)
class LikelyDouble:
    older: Member
    """Who was entered first."""
    newer: Member
    alike: tuple[Alike, ...]


def likely(session: Session, *, sounds: Sounds, most: int) -> list[LikelyDouble]:
    """Pairs of present members who may be one person, the likeliest first, at most so many.
    `sounds` tells what two names have in common that are heard as one. People of one name whose
    birth years are known and differ are two."""
    called: dict[Hashable, list[Member]] = defaultdict(list)
    for person in roll.everybody(session):
        for key in {sounds(name) for name in _names(person)}:
            called[key].append(person)
    pairs: dict[tuple[MemberId, MemberId], LikelyDouble] = {}
    for people in called.values():
        for older, newer in combinations(people, 2):
            alike = compared(older, newer, sounds)
            if _may_be_one(older, newer, alike):
                pairs[older.id, newer.id] = LikelyDouble(older, newer, alike)
    order = list(Alike)

    def likelihood(pair: LikelyDouble) -> tuple[int, list[int], MemberId]:
        return -len(pair.alike), [order.index(sign) for sign in pair.alike], pair.older.id

    return sorted(pairs.values(), key=likelihood)[:most]


def compared(a: Member, b: Member, sounds: Sounds) -> tuple[Alike, ...]:
    """In what these two agree."""
    names = {*_names(a)} & {*_names(b)}
    same_sound = {sounds(name) for name in _names(a)} & {sounds(name) for name in _names(b)}
    signs = {
        Alike.SAME_NAME: a.name == b.name,
        Alike.SOUNDS_ALIKE: bool(same_sound) and not names,
        Alike.NICKNAME: bool(names) and a.name != b.name,
        Alike.SAME_BIRTH_YEAR: a.birth_year is not None and a.birth_year == b.birth_year,
        Alike.SAME_LANE: a.lane_id == b.lane_id,
        Alike.SAME_PLACE: bool(a.place) and a.place == b.place,
    }
    return tuple(sign for sign, agrees in signs.items() if agrees)


def _may_be_one(a: Member, b: Member, alike: tuple[Alike, ...]) -> bool:
    if a.birth_year is not None and b.birth_year is not None and a.birth_year != b.birth_year:
        return False
    return Alike.SAME_NAME in alike or len(alike) > len(BY_NAME & {*alike})


def _names(person: Member) -> Iterator[str]:
    yield str(person.name)
    if person.nickname:
        yield str(person.nickname)


@dataclass(frozen=True)
class Side:
    """One of two who may be one, as staff compare them."""

    person: Member
    kinds: tuple[ServiceKind, ...]
    posted: int
    """Minutes in the account."""
    movements: int
    """How often minutes moved there."""
    last_heard: datetime | None
    channels: tuple[Channel, ...]
    """Messengers in which a chat speaks for this member now; it ends for who leaves."""
    in_the_way: tuple[Obstacle, ...]
    """What must end before this one can leave for the other."""


def side(session: Session, person: Member, other: Member) -> Side:
    """Everything by which staff see whether it is `other`, and which of the two to keep."""
    me = MemberId(person.id)
    account = ledger.account_of(session, me).id
    moved = select(func.count()).select_from(Posting).where(Posting.account_id == account)
    heard = select(func.max(Turn.began_at)).where(Turn.member_id == me)
    chats = select(ChannelBinding.channel).where(
        ChannelBinding.member_id == me, ChannelBinding.unbound_at.is_(None)
    )
    return Side(
        person=person,
        kinds=tuple(skill.service_kind for skill in members.skills_of(session, me)),
        posted=ledger.balance(session, account).posted,
        movements=session.execute(moved).scalar_one(),
        last_heard=session.execute(heard).scalar_one(),
        channels=tuple(session.execute(chats).scalars()),
        in_the_way=tuple(obstacles(session, person, other)),
    )
