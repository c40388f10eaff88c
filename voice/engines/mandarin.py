"""Written Mandarin to the phones that the neural voice was trained on.

The voice learned from labels that give tones as they are spoken, so tones are changed here as a
speaker changes them (你好 as ní hǎo, 一个 as yí gè), and a 儿 that only colours a word is light.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pypinyin import Style, pinyin

PhoneTable = Mapping[str, Sequence[str]]
"""Initial and final of every toneless syllable."""

_HAN = re.compile(r"[\u4e00-\u9fa5]+")

_READINGS = {
    # What a dictionary reads wrongly or too stiffly in everyday talk; 5 is the light tone.
    "妈妈": "ma1 ma5",
    "爸爸": "ba4 ba5",
    "奶奶": "nai3 nai5",
    "爷爷": "ye2 ye5",
    "姥姥": "lao3 lao5",
    "哥哥": "ge1 ge5",
    "姐姐": "jie3 jie5",
    "弟弟": "di4 di5",
    "妹妹": "mei4 mei5",
    "叔叔": "shu1 shu5",
    "伯伯": "bo2 bo5",
    "舅舅": "jiu4 jiu5",
    "姑姑": "gu1 gu5",
    "婶婶": "shen3 shen5",
    "大爷": "da4 ye5",
    "大娘": "da4 niang2",
    "大夫": "dai4 fu5",
    "先生": "xian1 sheng5",
    "朋友": "peng2 you5",
    "闺女": "gui1 nv5",
    "媳妇": "xi2 fu5",
    "谢谢": "xie4 xie5",
    "告诉": "gao4 su5",
    "知道": "zhi1 dao5",
    "明白": "ming2 bai5",
    "麻烦": "ma2 fan5",
    "休息": "xiu1 xi5",
    "舒服": "shu1 fu5",
    "厉害": "li4 hai5",
    "衣服": "yi1 fu5",
    "东西": "dong1 xi5",
    "收拾": "shou1 shi5",
    "打扫": "da2 sao3",
    "时候": "shi2 hou5",
    "豆腐": "dou4 fu5",
    "萝卜": "luo2 bo5",
    "馒头": "man2 tou5",
    "钥匙": "yao4 shi5",
    "力气": "li4 qi5",
    "晚上": "wan3 shang5",
    "早上": "zao3 shang5",
    "家里": "jia1 li5",
    "村里": "cun1 li5",
    "屋里": "wu1 li5",
    "地里": "di4 li5",
    "起来": "qi3 lai5",
    "过来": "guo4 lai5",
    "回来": "hui2 lai5",
    "得去": "dei3 qu4",
    "得有": "dei3 you3",
    "得等": "dei3 deng3",
    "得找": "dei3 zhao3",
    "长得": "zhang3 de5",
    "说得": "shuo1 de5",
    "做得": "zuo4 de5",
    "睡着": "shui4 zhao2",
    "教您": "jiao1 nin2",
    "重说": "chong2 shuo1",
}
_LONGEST_READING = max(map(len, _READINGS))

_WHOLE_ER_WORDS = re.compile(
    r"(?:女|婴|幼|少|孤|侄|胎|孙|健|新生)儿|儿(?:子|女|童|媳|孙|科|歌|戏)|托儿所"
)
_ONE_IS_A_NUMBER_AFTER = (*"零一二三四五六七八九十百千万两点第", "星期", "礼拜")
_PAUSE_AFTER = ("上午", "中午", "下午")
_PLAIN_ONE_BEFORE = "月号日年一二三四五六七八九十"


def phones(text: str, table: PhoneTable) -> list[str]:
    """Phones of one clause, with silence at both ends; empty when nothing can be spoken.

    Signs that are no Chinese characters are passed over.
    """
    spoken: list[str] = []
    for run in _HAN.findall(text):
        for syllable in _syllables(run):
            initial, final = table.get(syllable[:-1], ("", ""))
            if final:
                spoken += [initial, final + syllable[-1], "#0"]
    return ["sil", *spoken[:-1], "sil"] if spoken else []


def _syllables(run: str) -> list[str]:
    """Syllables with tone numbers, as they are spoken one after the other."""
    syllables = _readings(run)
    _third_tones(run, syllables)
    whole = {i for found in _WHOLE_ER_WORDS.finditer(run) for i in range(*found.span())}
    for i, character in enumerate(run):
        following = syllables[i + 1] if i + 1 < len(run) else ""
        if character == "不" and following.endswith("4"):
            syllables[i] = "bu2"
        if character == "一":
            syllables[i] = _one(run, i, following)
        if character == "儿" and i > 0 and i not in whole:
            # Drawn into the syllable before it, as people say it, it could not be understood.
            syllables[i] = "er5"
    return syllables


def _readings(run: str) -> list[str]:
    syllables = [
        _nasal(reading[0])
        for reading in pinyin(run, style=Style.TONE3, neutral_tone_with_five=True)
    ]
    start = 0
    while start < len(run):
        for length in range(_LONGEST_READING, 1, -1):
            known = _READINGS.get(run[start : start + length])
            if known:
                syllables[start : start + length] = known.split()
                start += length - 1
                break
        start += 1
    return syllables


def _nasal(syllable: str) -> str:
    """嗯 and 呣 have no vowel of their own in the voice's labels."""
    return f"en{syllable[-1]}" if syllable[:-1] in ("n", "ng", "m", "hm", "hng") else syllable


def _third_tones(run: str, syllables: list[str]) -> None:
    """Of two third tones in a row the first rises: in pairs, so that long rows keep a rhythm, a
    last odd one joining the pair before; never over the small pause after a time of day."""
    start = 0
    while start < len(syllables):
        end = start
        while end < len(syllables) and syllables[end].endswith("3"):
            end += 1
            if run[:end].endswith(_PAUSE_AFTER):
                break
        for i in range(start, end - 1):
            if (i - start) % 2 == 0 or i == end - 2:
                syllables[i] = syllables[i][:-1] + "2"
        start = max(end, start + 1)


def _one(run: str, i: int, following: str) -> str:
    """一 keeps its first tone inside numbers, in dates, as an ordinal and at the end."""
    before, after = run[:i], run[i + 1 : i + 2]
    is_number = before.endswith(_ONE_IS_A_NUMBER_AFTER)
    if is_number or not after or after in _PLAIN_ONE_BEFORE:
        return "yi1"
    return "yi2" if following.endswith("4") or after == "个" else "yi4"
