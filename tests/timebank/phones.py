"""A phone in somebody's hand: what it scans, says yes to and presses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from actions.timebank import channels
from actions.timebank.ids import MemberId
from actions.timebank.model import ChannelBinding, Member, SentButton
from actions.timebank.states import Channel
from tests.timebank.builders import FakeClock

TELEGRAM = Channel.TELEGRAM


@dataclass
class Phone:
    session: Session
    clock: FakeClock
    address: str

    def scan(self, code: str) -> Member:
        return channels.show_card(
            self.session, code=code, channel=TELEGRAM, address=self.address, now=self.clock()
        )

    def asked_for(self) -> Member | None:
        return channels.joining(
            self.session, channel=TELEGRAM, address=self.address, now=self.clock()
        )

    def yes(self) -> ChannelBinding:
        return channels.join(self.session, channel=TELEGRAM, address=self.address, now=self.clock())

    def no(self) -> None:
        channels.stop_joining(
            self.session, channel=TELEGRAM, address=self.address, now=self.clock()
        )

    def joins(self, member: Member) -> ChannelBinding:
        """With a card printed just now."""
        self.scan(print_card(self.session, member, self.clock))
        return self.yes()

    def speaks_for(self) -> MemberId | None:
        binding = channels.binding_at(self.session, channel=TELEGRAM, address=self.address)
        return binding and binding.member_id

    def is_sent(
        self, *titles: str, about: str = "notice:1", lasts: timedelta = timedelta(hours=1)
    ) -> list[SentButton]:
        """A message with buttons, to whoever this phone speaks for."""
        member = self.speaks_for()
        assert member is not None
        binding = channels.binding_of(self.session, member, channel=TELEGRAM)
        assert binding is not None
        return channels.make_buttons(
            self.session,
            binding=binding,
            about=about,
            buttons=[(title, f"/{title}") for title in titles],
            now=self.clock(),
            lasts=lasts,
        )

    def presses(self, button: SentButton | str) -> SentButton:
        token = button if isinstance(button, str) else button.token
        return channels.press(
            self.session,
            channel=TELEGRAM,
            address=self.address,
            token=token,
            now=self.clock(),
        )


def print_card(session: Session, member: Member, clock: FakeClock) -> str:
    """Staff print a card; gives what the QR code holds."""
    return channels.issue_card(session, member=MemberId(member.id), by=None, now=clock())[1]


def lose(session: Session, member: Member, clock: FakeClock) -> ChannelBinding:
    """She lost her phone and staff unbind it."""
    return channels.unbind(session, member=MemberId(member.id), channel=TELEGRAM, now=clock())
