"""Updates on their way to the bot: kept until confirmed, asked for or pushed."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx

from tests.bot_api import checks
from tests.bot_api.refusals import bad_request, conflict

FIRST_RETRY = 0.05
LONGEST_RETRY = 1.0
"""Seconds between tries to push an update; Telegram takes longer."""
PATIENCE = 10.0
"""Seconds that a webhook may take."""
LONGEST_POLL = 50
SECRET = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")

Update = dict[str, Any]


@dataclass
class Webhook:
    url: str
    secret: str = ""
    most_connections: int = 40
    asked_for: list[str] | None = None
    last_error: tuple[int, str] | None = None


class Updates:
    """The queues are touched in the server's loop only; the world reaches in from its thread."""

    def __init__(self) -> None:
        self.webhook: Webhook | None = None
        self.made: list[Update] = []
        """All that ever happened."""
        self._ids = itertools.count(880_000_001)
        self._waiting: list[Update] = []
        self._once: list[Update] = []
        """Come once more, whatever was confirmed."""
        self._held: list[Update] | None = None
        self._wanted = checks.allowed_updates([])
        self._poll: asyncio.Event | None = None
        """Of the poll that is under way."""
        self._new: asyncio.Event | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pushing: set[int] = set()

    # -- the world's side ----------------------------------------------------------------------

    def add(self, kind: str, what: dict[str, Any]) -> Update:
        update = {"update_id": next(self._ids), kind: what}
        self.made.append(update)
        if kind in self._wanted:
            if self._held is not None:
                self._held.append(update)
            else:
                self._in_loop(lambda: self._waiting.append(update))
        return update

    def repeat(self, *updates: Update) -> None:
        """These come again, in this order, although they were confirmed."""
        self._in_loop(lambda: self._once.extend(updates))

    @contextmanager
    def held(self) -> Iterator[list[Update]]:
        """What happens meanwhile is kept back, for the caller to let go."""
        held: list[Update] = []
        self._held = held
        try:
            yield held
        finally:
            self._held = None

    @property
    def pending(self) -> int:
        return len(self._waiting) + len(self._once)

    def _in_loop(self, put: Callable[[], None]) -> None:
        def put_and_tell() -> None:
            put()
            self._wake()

        assert self._loop is not None, "the server is not running"
        self._loop.call_soon_threadsafe(put_and_tell)

    def _wake(self) -> None:
        for event in (self._poll, self._new):
            if event is not None:
                event.set()

    # -- the bot asks --------------------------------------------------------------------------

    async def get(self, fields: dict[str, Any], is_gone: Callable[[], Awaitable[bool]]) -> Any:
        """The answer to getUpdates; `is_gone` says whether the asker has hung up.

        Raises Refusal (409) when somebody else polls or a webhook is set.
        """
        if self.webhook is not None:
            raise conflict(
                "can't use getUpdates method while webhook is active; "
                "use deleteWebhook to delete the webhook first"
            )
        limit, timeout = fields.get("limit", 100), fields.get("timeout", 0)
        if not 1 <= limit <= 100 or not 0 <= timeout <= LONGEST_POLL:
            raise bad_request("limit must be 1 to 100, timeout 0 to 50")
        if "allowed_updates" in fields:
            self._wanted = checks.allowed_updates(fields["allowed_updates"])
        self._confirm(fields.get("offset", 0))
        if self._poll is not None:
            self._poll.set()
        mine = self._poll = asyncio.Event()
        if not self.pending and timeout:
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(mine.wait(), timeout)
        if self._poll is not mine:
            # Who hung up does not mind; who still waits has a rival.
            raise conflict(
                "terminated by other getUpdates request; "
                "make sure that only one bot instance is running",
                is_mistake=not await is_gone(),
            )
        self._poll = None
        if await is_gone():
            return []
        once, self._once = self._once[:limit], self._once[limit:]
        return [*self._waiting, *once][:limit]

    def _confirm(self, offset: int) -> None:
        if offset < 0:
            self._waiting = self._waiting[offset:]
        else:
            self._waiting = [one for one in self._waiting if one["update_id"] >= offset]

    # -- the bot is told -----------------------------------------------------------------------

    def set_webhook(self, fields: dict[str, Any]) -> bool:
        if fields.get("drop_pending_updates"):
            self._waiting.clear()
        if "allowed_updates" in fields:
            self._wanted = checks.allowed_updates(fields["allowed_updates"])
        url = fields.get("url", "")
        if not url:
            self.webhook = None
            return True
        # Like a Bot API server of one's own, which pushes to plain HTTP on any port.
        if not url.startswith(("https://", "http://127.0.0.1", "http://localhost")):
            raise bad_request("bad webhook: an HTTPS URL must be provided for webhook")
        secret = fields.get("secret_token", "")
        if len(secret) > 256 or set(secret) - SECRET:
            raise bad_request("secret token contains unallowed characters")
        connections = fields.get("max_connections", 40)
        if not 1 <= connections <= 100:
            raise bad_request("max_connections must be 1 to 100")
        self.webhook = Webhook(url, secret, connections, fields.get("allowed_updates"))
        self._wake()
        return True

    def webhook_info(self) -> dict[str, Any]:
        hook = self.webhook
        info: dict[str, Any] = {
            "url": hook.url if hook else "",
            "has_custom_certificate": False,
            "pending_update_count": self.pending,
        }
        if hook is not None:
            info["max_connections"] = hook.most_connections
            if hook.asked_for:
                info["allowed_updates"] = hook.asked_for
            if hook.last_error:
                info["last_error_date"], info["last_error_message"] = hook.last_error
        return info

    async def push(self, now: Callable[[], float]) -> None:
        """Posts updates to the webhook for as long as the server runs: of one chat one after
        another, of different chats side by side, each until it is taken."""
        self._loop, self._new = asyncio.get_running_loop(), asyncio.Event()
        tasks: set[asyncio.Task[None]] = set()
        async with httpx.AsyncClient(timeout=PATIENCE, trust_env=False) as client:
            while True:
                await self._new.wait()
                self._new.clear()
                if self.webhook is None:
                    continue
                self._waiting, self._once = self._waiting + self._once, []
                for update in list(self._waiting):
                    chat = _chat_of(update)
                    if len(self._pushing) < self.webhook.most_connections and (
                        chat not in self._pushing
                    ):
                        self._pushing.add(chat)
                        task = asyncio.create_task(self._push_one(client, update, now))
                        tasks.add(task)
                        task.add_done_callback(tasks.discard)

    async def _push_one(
        self, client: httpx.AsyncClient, update: Update, now: Callable[[], float]
    ) -> None:
        delay = FIRST_RETRY
        while (hook := self.webhook) is not None:
            headers = {"X-Telegram-Bot-Api-Secret-Token": hook.secret} if hook.secret else {}
            try:
                answer = await client.post(hook.url, json=update, headers=headers)
                if answer.is_success:
                    self._waiting = [one for one in self._waiting if one is not update]
                    break
                error = f"Wrong response from the webhook: {answer.status_code}"
            except httpx.TransportError as broken:
                error = f"Connection failed: {type(broken).__name__}"
            hook.last_error = int(now()), error
            await asyncio.sleep(delay)
            delay = min(2 * delay, LONGEST_RETRY)
        self._pushing.discard(_chat_of(update))
        self._wake()


def _chat_of(update: Update) -> int:
    what: Any = next(value for key, value in update.items() if key != "update_id")
    about = what.get("chat") or what.get("message", {}).get("chat") or what["from"]
    return int(about["id"])
