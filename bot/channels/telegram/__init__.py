"""Telegram: updates in, voice notes and buttons out, over python-telegram-bot.

Who somebody is comes from the binding of the private chat, never from words or names.
"""

CHANNEL = "telegram"
"""As turns name it."""
