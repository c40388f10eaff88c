"""What the notifier asks of a messenger. It knows no more of Telegram than this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import AsyncContextManager, Optional, Protocol, Sequence

from actions.timebank.ids import BindingId, MemberId
from bot.turn_types import Button


@dataclass(frozen=True)
class Push:
    """One message to one member's chat."""

    about: str
    """Names the message. The same again carries the same buttons, so that whichever copy is
    pressed, it is one press."""
    binding_id: BindingId
    address: str
    member: MemberId
    text: str
    """Its facts are canonical (90分钟, ISO times) until the messenger makes them spoken."""
    buttons: Sequence[Button] = ()
    changes: Optional[str] = None
    """The id of an older message that gets these words and loses its buttons."""


class MessengerError(Exception):
    """It was not sent, or nobody knows."""


class Blocked(MessengerError):
    """This person lets in nothing from us, or the chat is no more."""


class RateLimited(MessengerError):
    """Too much was sent; nothing more for so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"asked to wait for {seconds} s")
        self.seconds = seconds


class Unreachable(MessengerError):
    """The network or the messenger is away, for everybody."""

    def __init__(self, detail: str = "", *, unsure: bool) -> None:
        super().__init__(detail)
        self.unsure = unsure
        """Whether the message may have arrived all the same: it left, and no answer came."""


class Refused(MessengerError):
    """The messenger will never take this message."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Messenger(Protocol):
    """Each of these may raise a MessengerError."""

    async def prepare(self, push: Push) -> None:
        """Does what takes long and needs no network, such as speaking the words. What was not
        prepared is sent all the same."""

    def turn(self, push: Push) -> AsyncContextManager[None]:
        """Waits until this push may leave; what is posted inside leaves within a moment."""

    async def post(self, push: Push) -> str:
        """Sends a new message and gives its id."""

    async def edit(self, push: Push) -> None:
        """Changes the older message `push.changes`. Twice is the same as once."""

    async def reachable(self) -> bool:
        """Whether the messenger answers at all; asked without sending anything to anybody."""
