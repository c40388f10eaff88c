"""Ears and mouth; knows nothing of Rasa, Telegram or the time bank."""
