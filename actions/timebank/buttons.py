"""Buttons under messages. What a press means is stored here, never carried by the button, and it
counts only in the chat that the button was sent to."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from actions.timebank.errors import ButtonGone, ButtonNotYours
from actions.timebank.ids import BindingId
from actions.timebank.model import ChannelBinding, SentButton
from actions.timebank.states import Channel

MOST = 2
"""Options a message: more cannot be kept in mind while listening."""
TOKEN_BYTES = 16
TOKEN_SHAPE = re.compile(r"[A-Za-z0-9_-]{22}")
KEPT = timedelta(days=30)
"""So long after its time a button is still known, to be told from a forged one."""


def make_buttons(
    session: Session,
    *,
    binding: ChannelBinding,
    about: str,
    buttons: Sequence[tuple[str, str]],
    now: datetime,
    lasts: timedelta,
) -> list[SentButton]:
    """The buttons (title, payload) of one message, to be sent in this chat; they can be pressed
    for so long. `about` names the message: the same again gives the buttons made at first.

    Raises ValueError for more than two."""
    if len(buttons) > MOST:
        raise ValueError(f"{len(buttons)} buttons under one message")
    _lock(session, BindingId(binding.id))
    of_the_message = (
        select(SentButton)
        .where(SentButton.binding_id == binding.id, SentButton.about == about)
        .order_by(SentButton.place)
    )
    made = list(session.execute(of_the_message).scalars())
    if made:
        return made
    session.execute(
        delete(SentButton).where(
            SentButton.binding_id == binding.id, SentButton.expires_at <= now - KEPT
        )
    )
    made = [
        SentButton(
            token=secrets.token_urlsafe(TOKEN_BYTES),
            binding_id=binding.id,
            member_id=binding.member_id,
            about=about,
            place=place,
            title=title,
            payload=payload,
            made_at=now,
            expires_at=now + lasts,
        )
        for place, (title, payload) in enumerate(buttons)
    ]
    session.add_all(made)
    session.flush()
    return made


def press(
    session: Session, *, channel: Channel, address: str, token: str, now: datetime
) -> SentButton:
    """Somebody pressed this button in this chat. The other button of the message dies. The same
    button again gives the same row: it names the same turn, which acts once.

    Raises ButtonNotYours when no such button was sent to this chat, ButtonGone when it no longer
    acts: too late, dead, or the chat is not hers any more.
    """
    button = session.get(SentButton, token) if TOKEN_SHAPE.fullmatch(token) else None
    if button is None or (button.binding.channel, button.binding.address) != (channel, address):
        raise ButtonNotYours("no such button in this chat")
    _lock(session, BindingId(button.binding_id))
    session.refresh(button)
    ended = button.binding.unbound_at or button.binding.member.left_at or button.died_at
    if ended or now >= button.expires_at:
        raise ButtonGone(f"the button of {button.about} no longer acts")
    if button.pressed_at is None:
        button.pressed_at = now
        session.flush()
        kill_buttons(session, binding_id=BindingId(button.binding_id), about=button.about, now=now)
    return cast(SentButton, button)


def kill_buttons(
    session: Session, *, binding_id: BindingId, about: str | None = None, now: datetime
) -> None:
    """The unpressed buttons of this message, or of the whole chat, never act any more. A pressed
    one stays what it is: pressed again it gets the answer that it got."""
    unpressed = select(SentButton).where(
        SentButton.binding_id == binding_id,
        SentButton.pressed_at.is_(None),
        SentButton.died_at.is_(None),
    )
    if about is not None:
        unpressed = unpressed.where(SentButton.about == about)
    _lock(session, binding_id)
    for button in session.execute(unpressed).scalars():
        button.died_at = now
    session.flush()


def kill_earlier(
    session: Session, *, binding_id: BindingId, starting: str, keep: str, now: datetime
) -> None:
    """Kills the buttons of all messages whose `about` begins with `starting`, but for `keep`: a
    yes to an older question must not answer a newer one."""
    earlier = (
        select(SentButton.about)
        .distinct()
        .where(
            SentButton.binding_id == binding_id,
            SentButton.pressed_at.is_(None),
            SentButton.died_at.is_(None),
            SentButton.about.startswith(starting, autoescape=True),
            SentButton.about != keep,
        )
    )
    for about in session.execute(earlier).scalars().all():
        kill_buttons(session, binding_id=binding_id, about=about, now=now)


def _lock(session: Session, binding_id: BindingId) -> None:
    """Two presses in one chat take turns; SQLite's writers do so anyway."""
    session.execute(
        select(ChannelBinding)
        .where(ChannelBinding.id == binding_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
