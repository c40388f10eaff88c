"""The simulated elders: what they say to what, how it sounds, and what counts as reached."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from actions.timebank import alerts, ledger, schema
from actions.timebank.clock import clock_at
from actions.timebank.demo import fill_demo_village
from actions.timebank.ids import MemberId, TurnId
from actions.timebank.members import find_member
from actions.timebank.model import ServiceRequest
from actions.timebank.session import Village, open_engine
from tests.bench.report import Report
from tests.bench.voices import checks
from tests.bench.voices.elder import Elder, Said
from tests.bench.voices.goals import TURNS, BadGoal, Goal, read_goal, read_goals
from tests.bench.voices.page import write_page
from tests.bench.voices.speech import (
    DEGRADED,
    Condition,
)
from tests.bench.voices.summary import add_figures, add_not_run, plan_of
from tests.bench.voices.talk import (
    End,
    Outcome,
    Spoken,
    character_errors,
    hold_talk,
    listening_seconds,
    syllable_errors,
)
from tests.bench.voices.village import _copy, broken_promises, prepare
from tests.e2e.stack import NOON

ASKED_WHEN = "好。您想啥时候让人来？"
PLACED = "好，明天上午九点，买东西。我去问张秀英。"


def told(**changed: Any) -> dict[str, Any]:
    """王桂兰 wants somebody to shop for her."""
    return {
        "name": "groceries",
        "about": "an errand",
        "persona": {"name": "王桂兰"},
        "opens": ["想叫人买菜", "找人捎点菜"],
        "means": "叫人帮忙",
        "answers": [{"asks": "啥时候", "says": ["明天上午九点", "明儿早上九点"]}],
        "content": "我去问",
        "done": [{"rows": "service_request", "where": {"elder_id": "王桂兰", "state": "offered"}}],
        **changed,
    }


def goal(**changed: Any) -> Goal:
    return read_goal(told(**changed))


def words(said: Said | None) -> str | None:
    return said.words if said is not None else None


# -- what she answers ---------------------------------------------------------------------------


def test_what_she_is_asked_decides_what_she_answers() -> None:
    elder = Elder(goal())

    assert words(elder.opens()) == "想叫人买菜"
    assert words(elder.answers(ASKED_WHEN)) == "明天上午九点"
    assert words(elder.answers(ASKED_WHEN)) == "明儿早上九点"
    assert elder.answers(PLACED) is None


def test_not_heard_she_says_the_same_in_other_words_and_never_another_thing() -> None:
    elder = Elder(goal())
    elder.opens()

    assert words(elder.answers("我没听清，您再说一遍，好吗？")) == "找人捎点菜"
    assert words(elder.answers(ASKED_WHEN)) == "明天上午九点"
    assert words(elder.answers("我没听清。您靠近一点，慢慢再说一遍。")) == "明儿早上九点"


def test_the_same_words_once_more_are_counted_so_that_they_can_be_said_slower() -> None:
    elder = Elder(goal(opens="想叫人买菜"))

    assert elder.opens().again == 0
    assert elder.answers("我没听清，您再说一遍，好吗？") == Said("想叫人买菜", again=1)


def test_she_says_yes_only_to_a_guess_that_is_her_wish() -> None:
    elder = Elder(goal())
    elder.opens()

    assert words(elder.answers("您是想查时间，对吗？")) == "不是"
    assert words(elder.answers("您是想叫人帮忙，对吗？")) == "对"
    assert words(elder.answers("您是想叫人帮忙，还是查时间？")) == "叫人帮忙"
    assert words(elder.answers("您是想取消，还是查时间？")) == "找人捎点菜", "neither is hers"


def test_a_wrong_number_read_back_is_contradicted() -> None:
    two_hours = [
        {"asks": "两个小时送给.*对吗", "says": "对"},
        {"asks": "送给.*对吗", "says": "不对，两个小时"},
    ]
    elder = Elder(goal(answers=two_hours))
    elder.opens()

    assert words(elder.answers("您要把十个小时送给陈玉芬，对吗？")) == "不对，两个小时"
    assert words(elder.answers("您要把两个小时送给陈玉芬，对吗？")) == "对"


def test_after_a_silence_and_a_remark_she_comes_back_to_what_she_meant() -> None:
    between = [{"after": 1, "silence": 3}, {"after": 2, "says": "天真冷"}]
    elder = Elder(goal(interruptions=between))
    elder.opens()

    assert elder.answers(ASKED_WHEN) == Said(silence=3)
    assert words(elder.answers("我没听见声音。您按住大按钮，再说一遍。")) == "天真冷"
    assert elder.answers("跟您说话真好。") == Said("明天上午九点")


def test_asked_to_hear_it_again_she_still_wants_the_same() -> None:
    elder = Elder(goal(interruptions=[{"hears": "啥时候", "says": "啊？再说一遍"}]))
    elder.opens()

    assert words(elder.answers(ASKED_WHEN)) == "啊？再说一遍"
    assert words(elder.answers(ASKED_WHEN)) == "明儿早上九点"
    assert words(elder.answers("好。您还有啥事，跟我说。")) == "找人捎点菜"


def test_a_correction_is_said_once_and_only_after_what_it_corrects() -> None:
    elder = Elder(goal(interruptions=[{"corrects": "我去问", "says": "不对，是后天"}]))
    elder.opens()

    assert words(elder.answers(ASKED_WHEN)) == "明天上午九点"
    assert elder.has_more_to_say
    assert words(elder.answers(PLACED)) == "不对，是后天"
    assert not elder.has_more_to_say
    assert elder.answers(PLACED) is None


def test_a_correction_that_is_not_taken_is_insisted_on_and_the_old_wish_never_comes_back() -> None:
    correction = {"corrects": "我去问", "says": ["不对，是后天", "改到后天"]}
    elder = Elder(goal(interruptions=[correction]))
    elder.opens()
    elder.answers(PLACED)

    assert words(elder.answers("您现在没有叫人帮忙的事。")) == "改到后天"
    assert words(elder.answers("我没听清，您再说一遍，好吗？")) == "不对，是后天"


def test_asked_whether_something_happened_only_who_is_in_danger_says_yes() -> None:
    asked = "您是不是出事了？要我马上叫人吗？"
    calm, afraid = Elder(goal()), Elder(goal(emergency=True))
    calm.opens(), afraid.opens()

    assert words(calm.answers(asked)) == "不要，我没事"
    assert words(afraid.answers(asked)) == "要，快叫人"


# -- the goals ----------------------------------------------------------------------------------


def test_all_goals_can_be_read_and_are_about_people_of_the_demo_village(village: Village) -> None:
    goals = read_goals()

    assert len(goals) >= 24
    assert sum(one.emergency for one in goals) >= 4
    with village.reading() as session:
        for one in goals:
            assert find_member(session, one.persona.name), one.name


def test_no_goal_is_reached_before_anything_is_said(village: Village) -> None:
    """Else it would measure nothing. What only has to stay as it is takes saying something."""
    for one in read_goals():
        with pytest.raises(_Undo), village.transaction() as session:
            prepare(session, one, clock_at(NOON)())
            if not checks.missing(session, one.done):
                kept = one.name == "almost_called_off"
                assert kept or checks.unmet(session, one.done), one.name
            assert broken_promises(session) == []
            raise _Undo


class _Undo(Exception):
    """Takes back what a test did."""


@pytest.mark.parametrize(
    "wrong",
    [
        {"opens": []},
        {"done": []},
        {"persona": {"name": "王桂兰", "room": "cellar"}},
        {"answers": [{"asks": "(", "says": "好"}]},
        {"answers": [{"asks": "啥"}]},
        {"interruptions": [{"says": "天真冷"}]},
        {"interruptions": [{"hears": "问", "corrects": "问", "says": "天真冷"}]},
        {"interruptions": [{"after": 1, "says": "天真冷", "silence": 3}]},
        {"unknown": 1},
    ],
)
def test_a_goal_that_is_written_wrong_is_refused_by_name(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadGoal, match="groceries"):
        read_goal(told(**wrong))


def test_a_goal_told_twice_is_refused(tmp_path: Path) -> None:
    for file in ("a.yml", "b.yml"):
        (tmp_path / file).write_text(json.dumps([told()]), "utf-8")
    with pytest.raises(BadGoal, match="groceries"):
        read_goals(tmp_path)


# -- what counts as reached ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def village(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Village]:
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('village') / 'village.db'}")
    schema.upgrade(engine)
    village = Village(engine, clock_at(NOON))
    with village.transaction() as session:
        fill_demo_village(session, now=village.clock())
    yield village
    engine.dispose()


@pytest.fixture
def session(village: Village) -> Iterator[Session]:
    with village.engine.connect() as connection:
        begun = connection.begin()
        with Session(connection, future=True) as session:
            yield session
        begun.rollback()


def claimed(session: Session, now: Any) -> None:
    facts = {"elder": "王桂兰", "helper": "张秀英", "kind": "shopping", "at": "2026-11-22T09:00"}
    before = [{"claimed": {**facts, "minutes": 60, "claimed": 90}}]
    prepare(session, goal(before=before), now)


def test_a_claimed_visit_waits_as_it_would_after_real_talks(
    session: Session, village: Village
) -> None:
    claimed(session, village.clock())

    request = {"elder_id": "王桂兰", "starts_at": "2026-11-22T09:00", "state": "claimed"}
    said = {"member_id": "张秀英", "party": "helper", "minutes": 90}
    asked = {"recipient_id": "王桂兰", "kind": "visit_claimed", "state": "queued"}
    done = [
        {"rows": "service_request", "where": request},
        {"rows": "confirmation", "where": said},
        {"rows": "notice", "where": asked},
    ]
    assert checks.unmet(session, done) == []
    assert broken_promises(session) == []


def test_minutes_and_their_way_are_found_through_the_keys(
    session: Session, village: Village
) -> None:
    elder, helper = (find_member(session, name) for name in ("何翠花", "陈玉芬"))
    gift = {"account_id": {"member_id": "何翠花"}, "minutes": -120, "transfer_id": {"kind": "gift"}}
    check = {"rows": "posting", "where": gift}
    assert checks.unmet(session, [check]) == [f"0 instead of 1 of posting {gift}"]

    ledger.gift(
        session,
        giver=MemberId(elder.id),
        receiver=MemberId(helper.id),
        minutes=120,
        idempotency_key="test:gift",
        now=village.clock(),
    )
    assert checks.unmet(session, [check]) == []
    assert checks.unmet(session, [{**check, "times": 2}]), "one gift is not two"
    assert checks.unmet(session, [{**check, "where": {**gift, "minutes": -60}}])


@pytest.mark.parametrize(
    ("where", "holds"),
    [
        ({"name": "王桂兰", "pace": {"below": 160}}, False),
        ({"name": "王桂兰", "pace": {"below": 161, "above": 159}}, True),
        ({"name": ["王桂兰", "没有这个人"], "nickname": {"like": "桂兰"}}, True),
        ({"name": "王桂兰", "left_at": None}, True),
        ({"name": "王桂兰", "joined_at": {"below": "2026-08-01T09:01"}}, True),
        ({"name": "王桂兰", "joined_at": "2026-08-01T09:00"}, True),
        ({"name": "王桂兰", "joined_at": "2026-08-01T09:00+00:00"}, False),
    ],
)
def test_a_row_is_told_by_what_it_holds(
    session: Session, where: dict[str, Any], holds: bool
) -> None:
    assert (checks.unmet(session, [{"rows": "member", "where": where}]) == []) is holds


@pytest.mark.parametrize(
    ("rows", "where", "what"),
    [
        ("dream", {}, "no table dream"),
        ("member", {"wings": 2}, "no column wings"),
        ("dispute", {"request_id": {"colour": "red"}}, "no column colour"),
    ],
)
def test_what_is_not_built_is_told_apart_from_what_was_missed(
    session: Session, rows: str, where: dict[str, Any], what: str
) -> None:
    check = {"rows": rows, "where": where}
    assert what in checks.missing(session, [check])
    with pytest.raises(checks.NotBuilt):
        checks.unmet(session, [check])


def test_an_alert_raised_by_the_real_verb_is_seen(session: Session, village: Village) -> None:
    check = {"rows": "alert", "where": {"member_id": "王桂兰", "kind": "emergency"}}
    assert checks.unmet(session, [check])
    alerts.raise_alert(
        session,
        member=MemberId(find_member(session, "王桂兰").id),
        words="起不来",
        turn_id=TurnId("test:alert"),
        now=village.clock(),
    )
    assert checks.unmet(session, [check]) == []


def test_a_village_in_use_is_put_back_as_it_was(tmp_path: Path, village: Village) -> None:
    running, kept = tmp_path / "village.db", tmp_path / "kept.db"
    _copy(Path(str(village.engine.url.database)), running)
    _copy(running, kept)
    in_use = Village(open_engine(f"sqlite:///{running}"), village.clock)

    def requests() -> int:
        with in_use.reading() as session:
            return int(session.query(ServiceRequest).count())

    before = requests()
    with in_use.transaction() as session:
        claimed(session, village.clock())
    assert requests() == before + 1
    _copy(kept, running)
    assert requests() == before
    with in_use.transaction() as session:
        claimed(session, village.clock())
        assert broken_promises(session) == []
    in_use.engine.dispose()


# -- talks and figures --------------------------------------------------------------------------


def spoken(said: str = "想叫人买菜", reply: str = PLACED, **more: Any) -> Spoken:
    usual = {"heard": said, "intent": "request_help", "outcome": "answered", "seconds": 30.0}
    usual["recording"] = Path("build/x/a.ogg")
    return Spoken(said=said, reply=reply, **{**usual, **more})


def test_a_talk_ends_when_the_database_says_so() -> None:
    replies = iter([ASKED_WHEN, PLACED])
    missing = iter([["no request"], []])
    turns, end, left = hold_talk(
        Elder(goal()), lambda said: spoken(said.words, next(replies)), lambda: next(missing)
    )

    assert [turn.said for turn in turns] == ["想叫人买菜", "明天上午九点"]
    assert (end, left) == (End.REACHED, [])


def test_who_is_told_that_it_is_done_when_it_is_not_believes_in_vain() -> None:
    turns, end, left = hold_talk(
        Elder(goal()), lambda said: spoken(said.words, PLACED), lambda: ["no request"]
    )

    assert len(turns) == 1
    assert (end, left) == (End.BELIEVED, ["no request"])


def test_who_is_promised_a_call_waits_for_it() -> None:
    promise = "是我没听懂，不怪您。我请赵明给您回话。"
    turns, end, left = hold_talk(
        Elder(goal()), lambda said: spoken(said.words, promise), lambda: ["no request"]
    )

    assert len(turns) == 1
    assert (end, left) == (End.STAFF, ["no request"])


def test_nobody_talks_for_ever() -> None:
    turns, end, left = hold_talk(
        Elder(goal()), lambda said: spoken(said.words, ASKED_WHEN), lambda: ["no request"]
    )

    assert len(turns) == TURNS
    assert (end, left) == (End.GAVE_UP, ["no request"])


def test_a_goal_is_not_reached_before_she_has_said_all_of_it() -> None:
    elder = Elder(goal(interruptions=[{"corrects": "我去问", "says": "不对，是后天"}]))
    replies = iter([PLACED, "好，后天上午九点。"])
    turns, end, left = hold_talk(elder, lambda said: spoken(said.words, next(replies)), lambda: [])

    assert [turn.said for turn in turns] == ["想叫人买菜", "不对，是后天"]
    assert (end, left) == (End.REACHED, [])


def test_errors_are_counted_over_characters_and_over_sounds() -> None:
    assert character_errors("明天上午九点！", "明天上午9点") == (0, 6)
    assert character_errors("洗个澡", "几个早") == (2, 3)
    assert character_errors("洗个澡", "") == (3, 3)
    assert syllable_errors("我的账", "我的帐") == (0, 3)
    assert syllable_errors("洗个澡", "几个早") == (1, 3), "澡 and 早 sound alike"


def test_a_reply_is_heard_at_her_own_pace() -> None:
    assert listening_seconds("好，明天上午九点。", 100) == pytest.approx(7 * 0.6)
    assert listening_seconds("好", 200) < listening_seconds("好", 100)


def test_every_goal_is_tried_clean_and_once_degraded() -> None:
    goals = [goal(name=f"goal {number}") for number in range(len(DEGRADED) + 1)]
    plan = plan_of(goals, [])

    assert [one for one, condition in plan if condition is Condition.CLEAN] == goals
    assert {condition for _, condition in plan[len(goals) :]} == set(DEGRADED)
    assert len(plan) == 2 * len(goals)
    assert plan_of(goals, [Condition.SLOW]) == [(one, Condition.SLOW) for one in goals]


def outcomes() -> list[Outcome]:
    asked_again = spoken(
        reply="我没听清，您再说一遍，好吗？", outcome="repaired", heard="想叫人埋菜"
    )
    wrong = "<0 instead of 1>"
    return [
        Outcome(goal(), Condition.CLEAN, End.REACHED, turns=[asked_again, spoken()]),
        Outcome(goal(), Condition.NOISE_8, End.BELIEVED, wrong, ["张秀英到了。"], [spoken()]),
        Outcome(goal(name="fire", emergency=True), Condition.CLEAN, End.REACHED, turns=[spoken()]),
    ]


def test_figures_say_what_was_reached_and_what_it_cost() -> None:
    report = Report({}, "abc")
    add_figures(report, outcomes())
    add_not_run(report, [(goal(), Condition.SLOW)], {"pills": "there is no table reminder yet"})

    assert report.figures == {
        "goals_reached": 0.667,
        "goals_reached_clean": 1.0,
        "goals_reached_noise_8db": 0.0,
        "emergencies_reached": 1.0,
        "repair_turns_median": 0,
        "repair_turns_mean": 0.333,
        "turns_median": 1.5,
        "minutes_to_done_median": 0.75,
        "believed_in_vain": 0.333,
        "left_to_staff": 0.0,
        "recognizer_cer": 0.05,
        "recognizer_cer_clean": 0.0667,
        "recognizer_ser": 0.0,
        "recognizer_ser_clean": 0.0,
        "goals_not_run": 1,
        "goals_not_built": 1,
    }
    assert report.skipped["groceries, slow"] == "no time was left"
    assert "reminder" in report.skipped["pills"]
    assert "goals_reached_telephone" in report.skipped


def test_a_run_without_a_talk_still_makes_a_report(tmp_path: Path) -> None:
    report = Report({"load_average": [1]}, "abc")
    add_figures(report, [])
    write_page(tmp_path / "eval-voice.html", report, [], {})

    assert not report.figures
    assert "goals_reached" in report.skipped


def test_page_shows_every_talk_and_needs_nothing_from_outside(tmp_path: Path) -> None:
    report = Report({"load_average": [1]}, "abc")
    add_figures(report, outcomes())
    file = tmp_path / "build" / "eval-voice.html"
    file.parent.mkdir()
    said = spoken("<b>想叫人买菜</b>", heard="", recording=file.parent / "eval-voice" / "a.ogg")
    talks = [*outcomes(), Outcome(goal(), Condition.SLOW, End.STAFF, turns=[said])]
    write_page(file, report, talks, {"pills": "there is no table reminder yet"})

    page = file.read_text("utf-8")
    assert page.count("<details id=") == 4
    assert 'href="#groceries-noise_8db"' in page and 'id="groceries-noise_8db"' in page
    assert 'src="eval-voice/a.ogg"' in page
    assert "<b>想叫人买菜" not in page and "&lt;b&gt;想叫人买菜" in page
    assert "&lt;0 instead of 1&gt;" in page and "张秀英到了" in page
    assert "heard: 想叫人埋菜" in page and "heard: nothing" in page
    assert "there is no table reminder yet" in page
    for outside in ("http://", "https://", "//", "@import", "url("):
        assert outside not in page.replace("</", ""), outside
