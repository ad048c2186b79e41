"""The roles that a restricted SSH key may have."""

from __future__ import annotations

ROLES = ("viewer", "operator")
"""Names of the roles; each may run what the one before it may, and more."""
