"""The talk page: one huge button on a phone, behind a personal link."""

from bot.channels.talk_page.web import RESPONSES, talk_page_routes

__all__ = ["RESPONSES", "talk_page_routes"]
