"""Fixtures of the media tests: real ALSA PCMs."""

from tests.alsa import alsa_cards, alsa_session, fragile_alsa_cards

__all__ = ["alsa_cards", "alsa_session", "fragile_alsa_cards"]
