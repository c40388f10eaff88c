"""For which elder a delegate speaks: 我妈, 俺爹, or her name. Words alone allow nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import List, Optional, Pattern, Tuple

from actions.base import Talk
from actions.timebank import delegates, members
from actions.timebank.ids import MemberId
from actions.timebank.model import Member
from actions.timebank.on_behalf import NotDelegate
from actions.timebank.states import DelegateScope

MY = "(?:我|俺|咱|额|偶)(?:们|家)?(?:老|大|二|三|小)?"
SENIORS: Tuple[Tuple[str, Pattern[str]], ...] = (
    (
        "妈|娘(?![家们])|爸|爹|母亲|父亲|婆婆|公公|丈母娘|丈人|岳母|岳父",
        re.compile("儿|女(?!孙)|闺女|姑娘|丫头|媳|姑爷|娃|小子|崽"),
    ),
    ("奶|爷(?![俩们])|姥姥|姥爷|外婆|外公", re.compile("孙")),
    ("叔|伯|姑(?![娘爷])|舅|姨|婶", re.compile("侄|甥")),
    ("老伴|老婆|老头|爱人", re.compile("老伴|老婆|老头|爱人|媳妇|当家")),
    ("人(?!家)|太太|爷子|母亲", re.compile("")),
)
"""What somebody calls an elder of his, and what she calls him then. 俺老人 may be anybody's."""

FOR_HER = re.compile("(?:帮|替|代|为)$")
GIVE = re.compile("给$")
ONLY_TOLD = re.compile("(?:说|讲|打|捎|带|送|留|记)")
"""给张秀英说一声 asks for nothing on her behalf."""
COMES = re.compile("(?:叫|请|找|喊|让|问|问问|换)$")
"""叫张秀英来: she is to come and not to be helped."""
HERS = re.compile("(?:家)?(?:还|的|有|账|名下|手|那|剩)")
IN_HER_PLACE = re.compile("(?:替|代|把|拿|从|用)$")


@dataclass(frozen=True)
class Mention:
    """Somebody named in what was said, of whom the speaker may be a delegate."""

    start: int
    end: int
    elders: List[Member]
    """Who is meant and allows the speaker anything."""
    others: List[Member]
    """Who is meant and allows him nothing."""

    def before(self, talk: Talk) -> str:
        return talk.words[: self.start]

    def after(self, talk: Talk) -> str:
        return talk.words[self.end :]


def elders_meant(talk: Talk, scope: DelegateScope) -> List[Member]:
    """For whom the speaker wants it; empty when it is his own matter, several when only he can
    tell. Raises NotDelegate when it is for somebody who has not allowed it."""
    chosen = talk.heard_id("elder_id")
    hers = _mine(talk)
    if chosen is not None:
        found = [one for one in hers if one.id == chosen]
    else:
        said = mentions(talk)
        found = next((one.elders for one in said if one.elders), [])
        others = [one.others[0] for one in said if _is_for_other(talk, one, scope)]
        if others and not found:
            if scope is DelegateScope.ASK_HELP and talk.speaker.is_coordinator:
                return others[:1]
            raise NotDelegate("nothing is allowed", elder=others[0].name)
    allowed = [one for one in found if _may(talk, one, scope)]
    if found and not allowed:
        raise NotDelegate(f"no {scope.value}", elder=found[0].name)
    return allowed


def refuse_for_others(talk: Talk, *, only_in_her_place: bool = False) -> None:
    """Raises NotDelegate when this is wanted for an elder, which no scope allows. With
    `only_in_her_place` 给我妈 is no such wish, 替我妈 and 我妈的 are."""
    for mention in mentions(talk):
        in_her_place = IN_HER_PLACE.search(mention.before(talk)) or HERS.match(mention.after(talk))
        if in_her_place if only_in_her_place else mention.elders:
            name = (mention.elders + mention.others)[0].name
            raise NotDelegate("she says it herself", elder=name)


def mentions(talk: Talk) -> List[Mention]:
    """Who is named by name or as kin. Who is named so that she shall come is none."""
    return [one for one in (_by_name(talk), _by_kinship(talk)) if one is not None]


def _by_name(talk: Talk) -> Optional[Mention]:
    hers = {one.id for one in _mine(talk)}
    for said in talk.tracker.latest_message.get("entities") or []:
        start, end = said.get("start"), said.get("end")
        if said.get("entity") != "person" or start is None or COMES.search(talk.words[:start]):
            continue
        name = str(said["value"])
        people = members.namesakes(talk.session, name, said=talk.words[start:end] or name)
        others = [one for one in people if one.id != talk.me]
        elders = [one for one in others if one.id in hers]
        if others:
            return Mention(start, end, elders, [] if elders else others)
    return None


def _by_kinship(talk: Talk) -> Optional[Mention]:
    hers = _mine(talk)
    for words, juniors in SENIORS:
        found = re.search(f"{MY}(?P<word>{words})", talk.words)
        if found is None:
            continue
        elders = [one for one in hers if _fits(talk, one, found["word"], juniors, True)]
        kin = [one for one in members.kin_of(talk.session, talk.me) if _lives_apart(talk, one)]
        others = [one for one in kin if _fits(talk, one, found["word"], juniors, False)]
        if elders or others:
            return Mention(found.start(), found.end(), elders, [] if elders else others)
    return None


def _fits(talk: Talk, elder: Member, word: str, juniors: Pattern[str], unnamed: bool) -> bool:
    """Whether she may be called so by the speaker; `unnamed` is the answer when neither of the
    two has said what they call each other."""
    by_her = delegates.label(talk.session, MemberId(elder.id), talk.me)
    by_him = delegates.label(talk.session, talk.me, MemberId(elder.id))
    if not by_her and not by_him:
        return unnamed
    return bool(by_her and juniors.search(by_her)) or word in by_him


def _is_for_other(talk: Talk, mention: Mention, scope: DelegateScope) -> bool:
    """Whether it is wanted for somebody of whom the speaker is no delegate. Elders name many
    people; only a clear 替她 or 她的账 is for her."""
    if not mention.others:
        return False
    before, after = mention.before(talk), mention.after(talk)
    if scope is DelegateScope.ASK_HELP:
        is_given = GIVE.search(before) and not ONLY_TOLD.match(after)
        return bool(FOR_HER.search(before) or is_given)
    return scope is DelegateScope.SEE_BALANCE and HERS.match(after) is not None


def _mine(talk: Talk) -> List[Member]:
    return delegates.elders_of(talk.session, talk.me, now=talk.now)


def _may(talk: Talk, elder: Member, scope: DelegateScope) -> bool:
    return delegates.may(talk.session, talk.me, MemberId(elder.id), scope, talk.now)


def _lives_apart(talk: Talk, other: Member) -> bool:
    mine = (talk.speaker.lane_id, talk.speaker.place)
    return (other.lane_id, other.place) != mine
