"""The words in a client's agent by which it says what it does about the members of a call and the house's rings."""

from __future__ import annotations

from typing import Final

CARRIES_OUT: Final = "members/1"
"""Word of a client that carries out what the members of a call are told: mutes, deafness and volumes."""
MUTABLE: Final = "mutable/1"
"""Word of a client that lets other members mute it."""
RINGS: Final = "rings/1"
"""Word of a client that wants to be told how each ring of the house stands, as the station page."""
SILENT: Final = "silent/1"
"""Word of a client that can show a ring without a sound, where its invite says so."""

BESIDE: Final = "beside/1"
"""Word of a client that shows a door which rings while it talks with another."""


def agent_of(name: str, *, obedient: bool = True, mutable: bool = True) -> str:
    """Return the agent of a client of ours: its name, and what it does about members."""
    if not obedient:
        return name
    return f"{name} {CARRIES_OUT} {MUTABLE}" if mutable else f"{name} {CARRIES_OUT}"


def carries_out(agent: str) -> bool:
    """Return whether this client carries out what the members of its calls are told."""
    return CARRIES_OUT in agent.split()


def is_mutable(agent: str) -> bool:
    """Return whether this client lets other members mute it."""
    return carries_out(agent) and MUTABLE in agent.split()


def hears_rings(agent: str) -> bool:
    """Return whether this client wants to be told of the house's rings."""
    return RINGS in agent.split()


def takes_silent_rings(agent: str) -> bool:
    """Return whether this client can show a ring without a sound."""
    return SILENT in agent.split()


def rings_beside_a_call(agent: str) -> bool:
    """Return whether this client shows a door which rings while it talks with another."""
    return BESIDE in agent.split()
