"""What a channel hands in and gets back for one turn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping, Optional, Protocol, Sequence

from actions.timebank.ids import MemberId, TurnId
from actions.timebank.states import TurnOutcome


@dataclass(frozen=True)
class Utterance:
    """What one person said or typed. `member` comes from the channel's own session, never from
    the words."""

    turn: TurnId
    member: MemberId
    channel: str
    audio: Optional[bytes] = None
    """A recording in any container that `voice.codec` opens; None when text was typed."""
    text: Optional[str] = None
    is_late: bool = False
    """Whether it was so long on its way that other things may have been asked since."""


@dataclass(frozen=True)
class Button:
    title: str
    payload: str
    """Sent back as the text of the next turn."""


@dataclass(frozen=True)
class Answer:
    turn: TurnId
    outcome: TurnOutcome
    heard: str
    confidence: Optional[float]
    """How sure the recognizer was; None for typed text."""
    intent: str
    reply: str
    """What is said and shown, as easy spoken Mandarin."""
    sentences: Sequence[str]
    """The reply cut where a speaker breathes; each is one part of the spoken answer."""
    buttons: Sequence[Button] = ()
    """At most two."""
    code: str = ""
    """Which refusal or failure; empty when all went well."""
    stage_ms: Mapping[str, float] = field(default_factory=dict)
    patience_ms: Optional[int] = None
    """How long this member may be silent before listening ends; None when it is not known."""


@dataclass(frozen=True)
class Speech:
    """An encoded sound ready to be sent."""

    data: bytes
    mime: str


class Turns(Protocol):
    """The way of one message, as channels see it."""

    async def take(self, utterance: Utterance) -> Answer:
        """Hears, understands, acts and answers. Never raises for what a person can do wrong:
        the answer's outcome and code tell. The same turn id again gives the same answer."""

    async def speak(self, turn: TurnId, part: Optional[int], member: MemberId) -> Speech:
        """The spoken answer of a stored turn: one sentence of it, or all of it when part is
        None, at the member's pace. Raises LookupError when this member has no such turn."""

    async def speak_notice(self, notice_id: int, member: MemberId) -> Speech:
        """The same for a notice. Raises LookupError when it is not this member's."""

    async def notices(self, member: MemberId) -> Sequence[Mapping[str, Any]]:
        """Queued notices, oldest first: `{"id", "kind", "text", "buttons": [{title, payload}]}`."""

    async def notice_heard(self, notice_id: int, member: MemberId) -> None:
        """Marks a notice as delivered. Raises LookupError when it is not this member's."""
