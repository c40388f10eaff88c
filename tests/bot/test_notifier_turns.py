"""What waits for its turn at the messenger's limits has not begun."""

from __future__ import annotations

import asyncio

from actions.timebank.model import Delivery
from actions.timebank.states import DeliveryState
from bot.messenger import RateLimited, Unreachable
from tests.bot.test_notifier import Office, office

__all__ = ["office"]


def test_what_waited_for_its_turn_and_never_left_was_no_try(office: Office) -> None:
    office.messenger.limits.append(RateLimited(37))
    office.queue("王奶奶", "one")
    office.sleeper.meanwhile = lambda: untried.append(office.delivery("one"))
    untried: list[Delivery] = []
    office.deliver()
    assert office.sleeper.slept == [37]
    assert [(one.state, one.tries, one.unsure) for one in untried] == [
        (DeliveryState.WAITING, 0, 0)
    ]
    assert office.told("王奶奶") == ["visit_started:one"]
    assert (office.delivery("one").tries, office.delivery("one").unsure) == (1, 0)


def test_a_line_that_broke_is_not_tried_by_those_who_waited_for_their_turn(office: Office) -> None:
    office.messenger.away = True
    office.messenger.troubles[office.chat("王奶奶")].append(Unreachable(unsure=True))
    office.messenger.slow.add(office.chat("张秀英"))
    office.queue("王奶奶", "one")
    office.queue("张秀英", "two")

    async def look() -> None:
        await office.notifier.step()
        await asyncio.wait(office.notifier._under_way.values())
        await office.notifier.step()

    asyncio.run(look())
    assert (office.delivery("one").tries, office.delivery("one").unsure) == (1, 1)
    assert (office.delivery("two").tries, office.delivery("two").unsure) == (0, 0)
    office.restart()
    office.deliver()
    assert office.told("张秀英") == ["visit_started:two"]
