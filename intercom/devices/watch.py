"""Wakes the door when a device is plugged in or out.

The kernel and udev tell of it on a netlink socket. What they say is only a reason to look, so nothing in it has to be
understood or believed, and a bare socket does: no udev is needed, nor its library. A slow look at the kernel's
directories goes on beside it, for containers, where nobody tells anything.
"""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Callable, Sequence
from typing import Final

from intercom.netlink import Netlink, open_netlink

log = logging.getLogger(__name__)

_NETLINK_KOBJECT_UEVENT: Final = 15
"""Netlink protocol of the kernel's device events (linux/netlink.h)."""
_KERNEL, _UDEV = 1, 2
"""Multicast groups: the kernel's own, and udev's, once names and permissions are set."""
_SOUND: Final = b"SUBSYSTEM=sound\0"
_PICTURES: Final = (b"SUBSYSTEM=video4linux\0", b"SUBSYSTEM=media\0")
_AGAIN_S: Final = 0.03
"""Time between two looks during a burst: a plug is a dozen messages, and the look after the last one sees all of it."""
_NOTHING, _BEGUN, _CHANGED, _COMPLETE = range(4)
"""What a message tells: nothing that matters, a card whose devices are not all there, a change, or a complete card."""
POLL_S: Final = 1.0
"""Poll interval without uevents: soon enough for someone who stands beside the door."""
TOLD_POLL_S: Final = 10.0
"""Poll interval while uevents are available; a safety net only."""


def uevent_socket() -> socket.socket:
    """Return a socket that receives the kernel's and udev's device events; OSError where there are none."""
    return open_netlink(_NETLINK_KOBJECT_UEVENT, _KERNEL | _UDEV)


class Watch:
    """Calls `on_change` on the event loop when devices may have come or gone, and with whether cameras may have."""

    def __init__(
        self,
        on_change: Callable[[bool], object],
        signature: Callable[[], tuple[str, ...]],
        *,
        open_socket: Callable[[], socket.socket] = uevent_socket,
        poll_s: float | None = None,
    ) -> None:
        """`signature` changes when something is plugged in or out; `poll_s` None chooses the poll interval."""
        self._on_change = on_change
        self._signature = signature
        self._poll_s = poll_s
        self._netlink = Netlink(self._told, open_socket)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._again: asyncio.TimerHandle | None = None
        self._poll: asyncio.TimerHandle | None = None
        self._told_again = False
        self._pictures = False
        self._seen: tuple[str, ...] = ()

    @property
    def is_told(self) -> bool:
        """Whether the kernel reports events; if not, the directories are polled every second."""
        return self._netlink.started

    def start(self) -> None:
        """Start to watch; needs a running event loop."""
        self._loop = asyncio.get_running_loop()
        self._seen = self._signature()
        try:
            self._netlink.start()
        except OSError as error:
            log.info("The kernel does not tell what is plugged in (%s): looking every %g s", error, POLL_S)
        if self._poll_s is None:
            self._poll_s = TOLD_POLL_S if self.is_told else POLL_S
        self._poll = self._loop.call_later(self._poll_s, self._look)

    def stop(self) -> None:
        """Stop watching; harmless before the start."""
        for timer in (self._again, self._poll):
            if timer is not None:
                timer.cancel()
        self._netlink.stop()

    def _told(self, messages: Sequence[bytes | None]) -> None:
        """Report a change or a complete card at once, a change every 30 ms while the burst lasts, and once more after.

        What a card begins with is no reason to look: it cannot be opened yet, and the next look would come too late.
        """
        assert self._loop is not None
        news = max(map(_news, messages), default=_NOTHING)
        if news == _NOTHING:
            return
        self._pictures |= any(map(_may_be_pictures, messages))
        if news == _COMPLETE or (news == _CHANGED and self._again is None):
            self._on_change(self._pictures)
        self._told_again = self._again is not None
        if self._again is None:
            self._again = self._loop.call_later(_AGAIN_S, self._look_again)

    def _look_again(self) -> None:
        assert self._loop is not None
        self._again = self._loop.call_later(_AGAIN_S, self._look_again) if self._told_again else None
        pictures = self._pictures
        if not self._told_again:  # the burst is over
            self._seen, self._pictures = self._signature(), False
        self._told_again = False
        self._on_change(pictures)

    def _look(self) -> None:
        assert self._loop is not None
        assert self._poll_s is not None
        self._poll = self._loop.call_later(self._poll_s, self._look)
        now = self._signature()
        if now != self._seen:
            self._seen = now
            self._on_change(True)


def _news(message: bytes | None) -> int:
    """Return what a message tells; among those that were lost, None, may be anything.

    A card's control device comes last (snd_device_register_all in sound/core/device.c).
    """
    if message is None or _may_be_pictures(message):
        return _CHANGED
    if _SOUND not in message:
        return _NOTHING
    if not message.startswith(b"add@"):  # udev's begin with "libudev"
        return _CHANGED
    device = message.partition(b"\0")[0].rpartition(b"/")[2]
    return _COMPLETE if device.startswith(b"controlC") else _BEGUN


def _may_be_pictures(message: bytes | None) -> bool:
    return message is None or any(name in message for name in _PICTURES)
