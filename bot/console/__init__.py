"""The console in which village staff review conversations, run the day and keep the books."""

from bot.console.web import console_routes

__all__ = ["console_routes"]
