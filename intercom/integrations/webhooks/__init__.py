"""Webhooks: programs that are told by an HTTP POST what happens at the door.

Begin with `webhooks.py`.
"""

from intercom.integrations.webhooks.webhooks import build

__all__ = ["build"]
