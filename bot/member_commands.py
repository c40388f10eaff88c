"""The commands about one member: links, cards, phones, family, check-ins. Each prints one line."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from actions.timebank import channels, check_ins, delegates, members
from actions.timebank.clock import VILLAGE_ZONE
from actions.timebank.errors import NotBound, NotYours, UnknownMember
from actions.timebank.ids import MemberId
from actions.timebank.model import Member
from actions.timebank.session import Village, open_village
from actions.timebank.states import (
    Channel,
    DelegateScope,
    DelegationState,
    Rhythm,
)
from bot.prepare import migrate
from bot.settings import Settings


class CommandRefused(Exception):
    """What was asked for cannot be done; the message tells whoever typed it why."""


def find_member(village: Village, name_or_id: str) -> Member:
    """Raises CommandRefused when nobody certain is meant."""
    with village.reading() as session:
        try:
            person = members.find_member(session, name_or_id)
        except UnknownMember as unknown:
            same = unknown.facts.get("same_name")
            hint = f" Several have this name, use a number: {same}" if same else ""
            raise CommandRefused(f"There is no member {name_or_id}.{hint}") from unknown
        session.expunge(person)
        return person


def link(settings: Settings, given: argparse.Namespace) -> int:
    from bot.links import TalkLinks

    village = open_migrated(settings)
    person = find_member(village, given.member)
    if given.renew:
        with village.transaction() as session:
            person = members.renew_link(session, member=MemberId(person.id))
            session.expunge(person)
    token = TalkLinks(settings.key()).token_for(MemberId(person.id), person.link_serial)
    print(f"{settings.address}/t/{token}")
    return 0


def check_in(settings: Settings, given: argparse.Namespace) -> int:
    village = open_migrated(settings)
    person = find_member(village, given.member)
    rhythm, now = Rhythm(given.rhythm), village.clock()
    with village.transaction() as session:
        check_ins.set_rhythm(session, member=MemberId(person.id), rhythm=rhythm, now=now)
        ahead = check_ins.open_check_in(session, MemberId(person.id))
        when = ahead and ahead.due_at.astimezone(VILLAGE_ZONE).isoformat(" ", "minutes")
    print(f"{person.name} is asked {rhythm.value}" + (f", next {when}" if when else ""))
    return 0


def card(settings: Settings, given: argparse.Namespace) -> int:
    from bot.join_card import card_page, deep_link
    from bot.phrases import read_phrases

    if settings.telegram_bot is None:
        raise CommandRefused("XIAOBANG_TELEGRAM_BOT must name the bot that the card leads to.")
    village = open_migrated(settings)
    person = find_member(village, given.member)
    file: Path = given.output or Path(f"join-card-{person.id}.html")
    try:
        # In one transaction: when the file cannot be written, the older card still holds.
        with village.transaction() as session:
            issued, code = channels.issue_card(
                session, member=MemberId(person.id), by=None, now=village.clock()
            )
            until = issued.expires_at.astimezone(VILLAGE_ZONE)
            staff = members.coordinators(session)
            page = card_page(
                name=person.name,
                link=deep_link(settings.telegram_bot, code),
                expires_at=issued.expires_at,
                staff=staff[0].name if staff else read_phrases().text("utter_village_office"),
            )
            # Whoever reads it can join as this member.
            file.touch(mode=0o600)
            file.chmod(0o600)
            file.write_text(page, "utf-8")
    except OSError as error:
        raise CommandRefused(f"The card cannot be written: {error}") from error
    print(f"{file}: print it; it holds until {until:%Y-%m-%d %H:%M}, once, for {person.name}")
    return 0


def unbind(settings: Settings, given: argparse.Namespace) -> int:
    village = open_migrated(settings)
    person = find_member(village, given.member)
    try:
        with village.transaction() as session:
            channels.unbind(
                session, member=MemberId(person.id), channel=Channel.TELEGRAM, now=village.clock()
            )
    except NotBound as unbound:
        raise CommandRefused(f"{person.name} has no phone that is bound.") from unbound
    print(f"{person.name}'s phone is unbound. For a new one: xiaobang member card {person.id}")
    return 0


def delegate(settings: Settings, given: argparse.Namespace) -> int:
    """Asks the elder; only her own yes makes anybody her delegate."""
    village = open_migrated(settings)
    elder, family = find_member(village, given.elder), find_member(village, given.delegate)
    ids = {"elder": MemberId(elder.id), "delegate": MemberId(family.id)}
    scopes = [DelegateScope(scope) for scope in given.may or DelegateScope]
    try:
        with village.transaction() as session:
            asked = delegates.propose(session, **ids, scopes=scopes, by=None, now=village.clock())
            stands = asked.state is DelegationState.GIVEN
    except NotYours as themselves:
        raise CommandRefused("Nobody is their own delegate.") from themselves
    may = f"{family.name} may act for {elder.name} already"
    print(may if stands else f"{elder.name} is asked whether {family.name} may act for her")
    return 0


def undelegate(settings: Settings, given: argparse.Namespace) -> int:
    village = open_migrated(settings)
    elder, family = find_member(village, given.elder), find_member(village, given.delegate)
    ids = {"elder": MemberId(elder.id), "delegate": MemberId(family.id)}
    with village.transaction() as session:
        ended = delegates.send_away(session, **ids, by=None, now=village.clock())
    did = "acts no more" if ended else "did not act"
    print(f"{family.name} {did} for {elder.name}")
    return 0


def open_migrated(settings: Settings) -> Village:
    """Opened at its newest schema, also before the first start."""
    migrate(settings, lambda line: print(line, file=sys.stderr, flush=True))
    return open_village(settings.database, settings.now)
