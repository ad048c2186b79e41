"""The roles of whoever asks from elsewhere: of a restricted SSH key, and of another system of the house."""

from __future__ import annotations

ROLES = ("viewer", "operator")
"""Roles of an SSH key; each may run what the one before it may, and more."""
PROGRAM_ROLES = (*ROLES, "opener")
"""Roles of another system of the house; of these the last alone may open the door."""
