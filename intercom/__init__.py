"""Intercom: a Raspberry Pi door station that registers as a SignalWire subscriber."""

__version__ = "0.1.0"
