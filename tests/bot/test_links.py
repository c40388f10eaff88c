import pytest

from actions.timebank.ids import MemberId
from bot.links import BadLink, TalkLinks

SECRET = b"sixteen bytes of village secret"
LINKS = TalkLinks(SECRET)


@pytest.mark.parametrize("member, serial", [(1, 1), (42, 0), (2_000_000_000, 999_999_999)])
def test_link_gives_back_member_and_serial(member: int, serial: int) -> None:
    assert LINKS.read(LINKS.token_for(MemberId(member), serial)) == (member, serial)


def test_link_is_the_same_each_time_so_nothing_needs_storing() -> None:
    assert LINKS.token_for(MemberId(7), 3) == TalkLinks(SECRET).token_for(MemberId(7), 3)


def test_link_has_only_letters_digits_and_dashes() -> None:
    for member in range(1, 200):
        token = LINKS.token_for(MemberId(member), member % 5)
        assert token.replace("-", "").isalnum() and token.isascii() and token == token.lower()
        assert not token.endswith("-")


def test_link_of_one_person_cannot_be_turned_into_anothers() -> None:
    _, serial, seal = LINKS.token_for(MemberId(7), 1).split("-")
    for forged in (f"8-{serial}-{seal}", f"7-2-{seal}", f"70-{serial}-{seal}"):
        with pytest.raises(BadLink):
            LINKS.read(forged)


def test_link_of_another_village_is_refused() -> None:
    theirs = TalkLinks(b"another village's own secret")
    with pytest.raises(BadLink) as refused:
        LINKS.read(theirs.token_for(MemberId(7), 1))
    assert refused.value.code == "bad_link"


def test_every_changed_letter_breaks_the_link() -> None:
    token = LINKS.token_for(MemberId(12), 3)
    for place in range(len(token)):
        for other in "a0-":
            changed = token[:place] + other + token[place + 1 :]
            if changed != token:
                with pytest.raises(BadLink):
                    LINKS.read(changed)


@pytest.mark.parametrize(
    "damaged",
    [
        "",
        "-",
        "7",
        "7-1",
        "7-1-",
        "０-1-aaaaaaaaaaaaaaaaaaaaaaaaaa",
        "٧-1-aaaaaaaaaaaaaaaaaaaaaaaaaa",
        "王桂兰",
        "../../etc/passwd",
        "7-1-" + "a" * 27,
        "9" * 5_000,
        "7-1-aaaaaaaaaaaaaaaaaaaaaaaaaa\n",
        "\x00",
        "7-01-{seal}",
        "07-1-{seal}",
        " 7-1-{seal}",
        "7-1-{seal} ",
        "-7-1-{seal}",
    ],
)
def test_damaged_link_is_refused(damaged: str) -> None:
    seal = LINKS.token_for(MemberId(7), 1).split("-")[2]
    with pytest.raises(BadLink):
        LINKS.read(damaged.format(seal=seal))


def test_guessable_secret_is_refused_at_the_start() -> None:
    with pytest.raises(ValueError):
        TalkLinks(b"short")
