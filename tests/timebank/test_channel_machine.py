"""Random lives of phones, cards and buttons. After every step one chat speaks for one member, and
nothing that is dead acts."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, precondition, rule
from sqlalchemy import select
from sqlalchemy.orm import Session

from actions.timebank import channels, joining
from actions.timebank.errors import (
    ButtonGone,
    ButtonNotYours,
    CardExpired,
    CardUsed,
    NotBound,
    NothingOpen,
)
from actions.timebank.model import Base, ChannelBinding, JoinCard, SentButton
from actions.timebank.session import open_engine
from actions.timebank.states import CardState
from tests.timebank.builders import FakeClock, make_member
from tests.timebank.phones import Phone, lose, print_card

PEOPLE = ("王奶奶", "张秀英", "李建国")
PHONES = ("1", "2", "3")
BUTTON_LASTS = timedelta(hours=6)

people = st.sampled_from(range(len(PEOPLE)))
phones = st.sampled_from(PHONES)


class LifeOfPhones(RuleBasedStateMachine):
    """Beside the database a plain picture of what should be true."""

    codes = Bundle("codes")
    buttons = Bundle("buttons")

    def __init__(self) -> None:
        super().__init__()
        engine = open_engine("sqlite://")
        Base.metadata.create_all(engine)
        self.clock = FakeClock()
        self.session = Session(engine, future=True)
        self.members = [make_member(self.session, name, now=self.clock()) for name in PEOPLE]
        self.owner: dict[str, int] = {}
        """Which person each phone speaks for."""
        self.asked: dict[str, tuple[str, Any]] = {}
        """The code each phone is being asked about, and since when."""
        self.newest: dict[int, str] = {}
        self.printed_at: dict[str, Any] = {}
        self.meant_for: dict[str, int] = {}
        self.used: set[str] = set()
        self.living: set[str] = set()
        """Tokens that act in their time, unless the other one was pressed."""
        self.pressed: set[str] = set()
        self.sent_to: dict[str, str] = {}
        self.made_at: dict[str, Any] = {}
        self.messages = 0

    def teardown(self) -> None:
        self.session.close()

    def phone(self, address: str) -> Phone:
        return Phone(self.session, self.clock, address)

    def is_asked(self, address: str) -> str | None:
        code, since = self.asked.get(address, ("", None))
        waited = code and self.clock() - since
        return code if code and waited < joining.ASKED_FOR else None

    @rule(target=codes, person=people)
    def staff_print_a_card(self, person: int) -> str:
        code = print_card(self.session, self.members[person], self.clock)
        self.newest[person] = code
        self.printed_at[code], self.meant_for[code] = self.clock(), person
        self.asked = {
            phone: asked
            for phone, asked in self.asked.items()
            if self.meant_for[asked[0]] != person
        }
        return code

    @rule(code=codes, address=phones)
    def somebody_scans(self, code: str, address: str) -> None:
        person = self.meant_for[code]
        too_old = self.clock() - self.printed_at[code] >= timedelta(days=7)
        elsewhere = any(self.is_asked(other) == code for other in PHONES if other != address)
        try:
            shown = self.phone(address).scan(code)
        except CardUsed:
            assert code in self.used or elsewhere
        except CardExpired:
            assert too_old or self.newest[person] != code
        else:
            assert shown is self.members[person]
            assert not (too_old or elsewhere or code in self.used)
            assert self.newest[person] == code
            for other in [one for one, asked in self.asked.items() if asked[0] == code]:
                del self.asked[other]
            self.asked[address] = (code, self.clock())

    @rule(address=phones)
    def somebody_says_yes(self, address: str) -> None:
        code = self.is_asked(address)
        try:
            self.phone(address).yes()
        except NothingOpen:
            assert code is None
            return
        assert code is not None and code not in self.used, "a card joins at most one chat"
        del self.asked[address]
        self.used.add(code)
        person = self.meant_for[code]
        if self.owner.get(address) == person:
            return
        for phone, owner in list(self.owner.items()):
            if phone == address or owner == person:
                self.forget(phone)
        self.owner[address] = person

    @rule(person=people, address=phones)
    def she_joins(self, person: int, address: str) -> None:
        """All three at once, or random steps seldom get as far as a button."""
        self.somebody_scans(self.staff_print_a_card(person), address)
        self.somebody_says_yes(address)

    @rule(address=phones)
    def somebody_says_no(self, address: str) -> None:
        self.phone(address).no()
        self.asked.pop(address, None)

    @rule(person=people)
    def she_loses_her_phone(self, person: int) -> None:
        try:
            lost = lose(self.session, self.members[person], self.clock)
        except NotBound:
            assert person not in self.owner.values()
            return
        assert self.owner[lost.address] == person
        self.forget(lost.address)

    @precondition(lambda self: self.owner)
    @rule(target=buttons, which=st.integers(0, len(PHONES) - 1))
    def she_is_asked_with_buttons(self, which: int) -> tuple[str, ...]:
        address = sorted(self.owner)[which % len(self.owner)]
        self.messages += 1
        made = self.phone(address).is_sent(
            "对", "不对", about=f"notice:{self.messages}", lasts=BUTTON_LASTS
        )
        for button in made:
            self.sent_to[button.token] = address
            self.made_at[button.token] = self.clock()
        tokens = tuple(button.token for button in made)
        self.living.update(tokens)
        return tokens

    @rule(tokens=buttons, which=st.integers(0, 1))
    def it_is_pressed(self, tokens: tuple[str, ...], which: int) -> None:
        token, other = tokens[which], tokens[1 - which]
        in_time = self.clock() - self.made_at[token] < BUTTON_LASTS
        acts = token in self.living and in_time and other not in self.pressed
        address = self.sent_to[token]
        try:
            button = self.phone(address).presses(token)
        except ButtonGone:
            assert not acts
            return
        assert acts, "a dead button acted"
        assert button.member_id == self.members[self.owner[address]].id
        self.pressed.add(token)

    @rule(tokens=buttons, address=phones)
    def it_is_pressed_elsewhere(self, tokens: tuple[str, ...], address: str) -> None:
        if address != self.sent_to[tokens[0]]:
            with pytest.raises(ButtonNotYours):
                self.phone(address).presses(tokens[0])

    @rule(tokens=buttons)
    def the_matter_ends(self, tokens: tuple[str, ...]) -> None:
        button = self.session.get(SentButton, tokens[0])
        channels.kill_buttons(
            self.session, binding_id=button.binding_id, about=button.about, now=self.clock()
        )
        self.living -= set(tokens) - self.pressed

    @rule(minutes=st.sampled_from([1, 14, 16, 361, 361, 7 * 24 * 60]))
    def time_passes(self, minutes: int) -> None:
        self.clock.pass_time(minutes=minutes)

    def forget(self, address: str) -> None:
        """Nothing that was sent to this phone counts any more."""
        del self.owner[address]
        self.living = {token for token in self.living if self.sent_to[token] != address}

    @invariant()
    def one_chat_a_member_and_one_member_a_chat(self) -> None:
        active = self.session.execute(
            select(ChannelBinding).where(ChannelBinding.unbound_at.is_(None))
        ).scalars()
        numbers = {member.id: person for person, member in enumerate(self.members)}
        pairs = [(one.address, numbers[one.member_id]) for one in active]
        assert dict(pairs) == self.owner and len(pairs) == len(self.owner)
        assert len(set(self.owner.values())) == len(self.owner)
        for address in PHONES:
            speaks = self.phone(address).speaks_for()
            assert numbers.get(speaks) == self.owner.get(address)

    @invariant()
    def whoever_is_asked_is_asked_for_the_right_name(self) -> None:
        for address in PHONES:
            code, asked_for = self.is_asked(address), self.phone(address).asked_for()
            expected = self.members[self.meant_for[code]] if code else None
            assert asked_for is expected

    @invariant()
    def a_card_joins_at_most_one_chat(self) -> None:
        cards = list(self.session.execute(select(JoinCard)).scalars())
        assert sum(card.state is CardState.USED for card in cards) == len(self.used)
        live = Counter(
            card.member_id for card in cards if card.state in (CardState.UNUSED, CardState.ASKED)
        )
        assert max(live.values(), default=0) <= 1

    @invariant()
    def at_most_one_button_of_a_message_is_pressed(self) -> None:
        pressed = select(SentButton.binding_id, SentButton.about).where(
            SentButton.pressed_at.is_not(None)
        )
        assert max(Counter(self.session.execute(pressed)).values(), default=0) <= 1


LifeOfPhones.TestCase.settings = settings(max_examples=25, stateful_step_count=40, deadline=None)
TestLifeOfPhones = LifeOfPhones.TestCase
