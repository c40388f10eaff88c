"""Forms as they come in: nothing larger than the console ever needs is read."""

from __future__ import annotations

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import Message, Receive

from actions.timebank.members import LARGEST_ID

LARGEST_BODY = 6_000_000
LONGEST_FIELD = 20_000
MOST_FIELDS = 1_000
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class BadForm(Exception):
    """What came is no form of ours: `status` tells the browser."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


def is_plain(request: Request) -> bool:
    """Whether the address holds only numbers and text that a database takes."""
    texts = [text for pair in request.query_params.multi_items() for text in pair]
    for given in (*request.path_params.values(), *texts):
        if isinstance(given, int) and not 0 < given <= LARGEST_ID:
            return False
        if isinstance(given, str) and ("\x00" in given or len(given) > LONGEST_FIELD):
            return False
    return True


async def read_form(request: Request) -> FormData:
    """The fields and files of a POST. Raises BadForm."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in FORMS:
        raise BadForm(415)
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > LARGEST_BODY:
        raise BadForm(413)
    limited = Request(request.scope, _counted(request))
    try:
        form = await limited.form(max_files=2, max_fields=MOST_FIELDS, max_part_size=LARGEST_BODY)
    except HTTPException as broken:
        raise BadForm(400) from broken
    for name, value in form.multi_items():
        if len(name) > 200 or (isinstance(value, str) and len(value) > LONGEST_FIELD):
            raise BadForm(413)
        if isinstance(value, str) and "\x00" in value:
            raise BadForm(400)
    return form


def _counted(request: Request) -> Receive:
    """What receives the body, and stops when it grows too large whatever its header says."""
    received = 0

    async def receive() -> Message:
        nonlocal received
        message = await request.receive()
        received += len(message.get("body", b""))
        if received > LARGEST_BODY:
            raise BadForm(413)
        return message

    return receive
