"""Expected refusals of the time bank.

Each has a stable `code`; what is said to the person is the response `utter_refused_<code>`.
Anything else that is raised is a bug.
"""


class Refusal(Exception):
    """The time bank declines to do something, for a reason the person can be told."""

    code = "refused"

    def __init__(self, detail: str = "", **facts: object) -> None:
        super().__init__(detail or self.code)
        self.facts = facts
        """Values for the spoken answer: names, minutes, aware datetimes."""


class UnknownMember(Refusal):
    code = "unknown_member"


class NotYours(Refusal):
    """Somebody tried to act on another person's request, offer, visit or account."""

    code = "not_yours"


class WrongState(Refusal):
    """The thing exists but cannot do this now; `facts["state"]` tells where it stands."""

    code = "wrong_state"


class NothingOpen(Refusal):
    """There is no request, offer, task or visit that the words could mean."""

    code = "nothing_open"


class AlreadyPromised(Refusal):
    """The helper is to be elsewhere then: `elder` and `starts_at` of what he promised first."""

    code = "already_promised"


class OfferGone(Refusal):
    """The task was withdrawn, went to somebody else or ran out of time."""

    code = "offer_gone"


class NotEnoughMinutes(Refusal):
    """The account cannot cover it and the village fund does not stand behind this kind."""

    code = "not_enough_minutes"


class BadMinutes(Refusal):
    """Minutes that no visit can have taken."""

    code = "bad_minutes"


class InThePast(Refusal):
    code = "in_the_past"


class TrainingNeeded(Refusal):
    code = "training_needed"


class CardUnknown(Refusal):
    """No such card was ever printed, or whom it was for has left."""

    code = "card_unknown"


class CardUsed(Refusal):
    """Somebody joined with this card, or another chat is being asked about it."""

    code = "card_used"


class CardYours(CardUsed):
    """She scanned again the card with which this chat joined, and still speaks for her."""

    code = "card_yours"


class CardExpired(Refusal):
    """Its week is over, or a newer card was printed."""

    code = "card_expired"


class TooManyTries(Refusal):
    """This chat showed so many cards in an hour that it may be guessing."""

    code = "too_many_tries"


class NotBound(Refusal):
    """The member has no chat that could be unbound."""

    code = "not_bound"


class ButtonNotYours(Refusal):
    """No such button was sent to this chat; whether another chat has it is not told."""

    code = "button_not_yours"


class ButtonGone(Refusal):
    """Its time is over, the matter ended, or the other button was pressed."""

    code = "button_gone"


class NothingWritten(Refusal):
    """A member of the staff left empty what has to say something."""

    code = "nothing_written"


class BadCorrection(Refusal):
    """A meaning or a part of speech that does not exist; `facts["field"]` tells which."""

    code = "bad_correction"


class SamePerson(Refusal):
    """Whoever proposed it cannot approve it: a second person must."""

    code = "same_person"


class NotForSelf(Refusal):
    """Staff decide nothing about their own hours, visits or complaints."""

    code = "not_for_self"


class ChangedMeanwhile(Refusal):
    """Somebody else changed it first: `by`, a name, and `at` where they are known."""

    code = "changed_meanwhile"


class StillOpen(Refusal):
    """A member cannot leave while hours wait for a word: `requests` and `alerts`, their ids."""

    code = "still_open"


class BadDetails(Refusal):
    """Something in a member's form that cannot be; `field` names it."""

    code = "bad_details"


class LoginTaken(Refusal):
    """This login, or this member's account, is there already."""

    code = "login_taken"


class BadLogin(Refusal):
    """A login that is not 2 to 40 small letters, digits, `.`, `-` and `_`."""

    code = "bad_login"


class LastAdministrator(Refusal):
    """Nobody would be left who can make accounts."""

    code = "last_administrator"


class TooManyLogins(Refusal):
    """So many wrong passwords that the next is not looked at before `until`."""

    code = "too_many_logins"


class NothingToSay(Refusal):
    """Words of which nothing can be spoken."""

    code = "nothing_to_say"


class TooLongToSay(Refusal):
    """Words that take longer than a minute to speak."""

    code = "too_long_to_say"


class NobodyThere(Refusal):
    """A broadcast for nobody."""

    code = "nobody_there"


class NotHeard(Refusal):
    """Whoever wrote the broadcast has not listened to it as it stands."""

    code = "not_heard"


class LedgerBroken(Exception):
    """A promise of the ledger does not hold: a bug or a tampered row, never the user's doing."""
