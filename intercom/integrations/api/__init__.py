"""The HTTP API: the commands, the events and an OpenAPI document, for programs of the house that have a token.

Begin with `api.py`.
"""

from intercom.integrations.api.api import build

__all__ = ["build"]
