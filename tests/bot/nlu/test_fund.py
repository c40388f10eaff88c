from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.nlu.fund import hear_fund


@pytest.mark.parametrize(
    "said, named",
    [
        ("两个小时给村里", "村里"),
        ("两个小时给策略", "策略"),
        ("两个小时给村令", "村令"),
        ("给村理两个钟头", "村理"),
        ("给村离吧", "村离"),
        ("捐到村里公益", "村里"),
        ("送一个钟头给攻益", "攻益"),
        ("剩下的归几体", "几体"),
        ("给村里的基金", "村里"),
        ("给村里的老王一个小时", None),
        ("给村东头那家", None),
        ("给翠莲一个小时", None),
        ("给老李", None),
        ("给秀丽两个小时", None),
        ("给建国", None),
        ("村里来人了", None),
        ("给处理一下", None),
        ("给", None),
        ("", None),
    ],
)
def test_the_village_is_heard_behind_a_word_of_giving(said: str, named: str | None) -> None:
    span = hear_fund(said)
    assert (said[slice(*span)] if span else None) == named


@given(st.text(alphabet="给归村里策略的一a，😀\ud83d"))
def test_whatever_is_said_the_span_is_two_characters_of_it(said: str) -> None:
    span = hear_fund(said)
    assert span is None or (span[0] > 0 and span[1] - span[0] == 2 and span[1] <= len(said))
