"""Liars: a broker, a receiver of webhooks and viewers that die, hang and lie, for the tests and for the chaos run.

Each is honest until it is told how to lie, and again when it is told to stop.
"""
