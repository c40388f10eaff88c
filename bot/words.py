"""What may be said in a turn: words in Chinese, or what one of our own buttons sends."""

from __future__ import annotations

import re
from typing import Optional

LONGEST_TEXT = 500
"""Characters typed at once; a story of three spoken minutes stays below it."""
BUTTON = re.compile(
    r"/(affirm|deny|repeat|slow_down|louder|talk_to_human|check_balance|list_tasks|start_task"
    r'|affirm\{"choice": "[12]"\}|inform\{"member_id": "\d{1,9}"\}'
    r'|inform\{"rating": "[1-5]"\}'
    r'|(accept_task|decline_task)\{"(offer|alert)_id": "\d{1,9}"\}'
    r'|report_wellbeing\{("alert_id": "\d{1,9}", )?"choice": "[12]"\}'
    r'|confirm_service\{"request_id": "\d{1,9}", "choice": "\d{1,3}分钟"\}'
    r'|start_task\{"assignment_id": "\d{1,9}"\}'
    r'|inform\{"reminder_id": "\d{1,9}"\}|ask_policy\{"rule_number": "\d{1,3}"\}'
    r'|(affirm|deny)\{"delegation_id": "\d{1,9}"\}'
    r"|consent_recording|revoke_recording)"
)
"""What our own buttons send. Any other text that looks like one of Rasa's commands is words."""
CHINESE = re.compile(r"[\u4e00-\u9fff]")
NUMBER = re.compile(r"\d")
FOREIGN = re.compile(r"[^\W\d_]")
"""A letter of any script, where there is nothing Chinese."""


class Refused(Exception):
    """The message itself cannot be taken; `utter_refused_<code>` tells why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def typed(text: Optional[str]) -> str:
    """The words of a typed message; a command that no button of ours sends loses its stroke.
    Raises Refused."""
    words = (text or "").strip()
    if not words:
        raise Refused("empty")
    if len(words) > LONGEST_TEXT:
        raise Refused("too_long")
    if words.startswith("/") and not is_button(words):
        words = words.lstrip("/ ")
        if not words:
            raise Refused("empty")
    return words


def says_something(text: str) -> bool:
    """A classifier makes 好 of anything; what holds neither Chinese nor a bare number is asked for
    again."""
    return bool(CHINESE.search(text) or (NUMBER.search(text) and not FOREIGN.search(text)))


def is_button(text: Optional[str]) -> bool:
    return BUTTON.fullmatch((text or "").strip()) is not None
