"""Personal talk-page links: a member proves who she is by a link alone, and nothing is stored.

A link names the member and her `link_serial`. Staff raise the serial in the database and every
link with an older one is refused from then on.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re

from actions.timebank.ids import MemberId

SHORTEST_SECRET = 16
"""Bytes."""
SEAL_BYTES = 16
# No trailing punctuation and one letter case: a link survives chat programs that cut it at a
# dash, and staff can read it out over the telephone.
_SHAPE = re.compile(r"([1-9][0-9]{0,9})-([0-9]{1,9})-([a-z2-7]{26})")


class BadLink(Exception):
    """The link was not made by this village, or was damaged on its way."""

    code = "bad_link"


class TalkLinks:
    """Makes and reads the secret part of personal links."""

    def __init__(self, secret: bytes) -> None:
        """Raises ValueError when the secret could be guessed."""
        if len(secret) < SHORTEST_SECRET:
            raise ValueError(f"the link secret needs at least {SHORTEST_SECRET} bytes")
        self._secret = secret

    def token_for(self, member_id: MemberId, serial: int) -> str:
        """The same member and serial always give the same url-safe token."""
        return f"{member_id}-{serial}-{self._seal(member_id, serial)}"

    def read(self, token: str) -> tuple[MemberId, int]:
        """The member and the serial it was made for; whether that serial still holds is for the
        database to say. Raises BadLink."""
        shape = _SHAPE.fullmatch(token)
        if shape is None:
            raise BadLink("not in the shape of a link")
        member_id, serial = MemberId(int(shape[1])), int(shape[2])
        # Compared whole, so that 07 cannot stand for serial 7.
        if not hmac.compare_digest(self.token_for(member_id, serial), token):
            raise BadLink("the seal does not fit")
        return member_id, serial

    def _seal(self, member_id: MemberId, serial: int) -> str:
        words = f"talk:{member_id}:{serial}".encode()
        digest = hmac.new(self._secret, words, hashlib.sha256).digest()[:SEAL_BYTES]
        return base64.b32encode(digest).decode().rstrip("=").lower()
