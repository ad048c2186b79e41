"""Holds the media of one call: opened when the call is dialled or answered, closed when it has ended."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeVar

from reactivex import Observable
from reactivex.abc import DisposableBase

from intercom.signalwire.call.line import CallLine
from intercom.signalwire.call.media_options import MediaOptions
from intercom.signalwire.errors import InvalidStateError, MediaAccessError, MediaError
from intercom.signalwire.media import CallMedia, ConstrainableMedia, PathMedia
from intercom.signalwire.observable import report_fault
from intercom.signalwire.preferences import is_turn

logger = logging.getLogger(__name__)

T = TypeVar("T")

CLOSE_TIMEOUT_S = 2.0
"""Time limit for closing a peer connection: aiortc's may hang for hours and must not hold the call."""
DESCRIBE_TIMEOUT_S = 6.0
"""Time limit for a description (reference client); gathering is done within 600 ms."""


class MediaSlot:
    """The place of one call's media, which is opened at most once and closed at most once."""

    def __init__(self, line: CallLine, call_id: str) -> None:
        self._line = line
        self._call_id = call_id
        self._subscriptions: list[DisposableBase] = []
        self.media: CallMedia | None = None
        """The call's media; None before the call is dialled or answered, and after its end."""
        self.options = MediaOptions()
        """The media that the call sends and receives."""

    def open(self, options: MediaOptions) -> CallMedia:
        """Open the media; raises `MediaAccessError` when ours cannot be opened, `MediaError` when nothing can."""
        try:
            media = self._line.media.open(
                self._call_id,
                self._line.ice_servers,
                audio=options.audio,
                video=options.video,
                receive_audio=options.receive_audio,
                receive_video=options.receive_video,
            )
        except MediaAccessError:
            raise
        except Exception as error:
            raise MediaError(f"The media of a call could not be opened: {error}") from error
        self.media = media
        if self._line.relay_only:
            if not isinstance(media, PathMedia):
                raise MediaError(
                    "This media provider cannot keep to relays; clear preferences.relay_only, or use another."
                )
            media.use_paths(self._line.ice_servers, relay_only=True)
        self.options = options
        return media

    def follow(self, stream: Observable[T], take: Callable[[T], None]) -> None:
        """Pass a stream of the media to `take` until the media is closed."""
        self._subscriptions.append(stream.subscribe(take))

    async def close(self) -> None:
        """Close the media if it is open; a provider that fails or hangs does not hold the call."""
        media, self.media = self.media, None
        if media is not None:
            try:
                async with asyncio.timeout(CLOSE_TIMEOUT_S):
                    await media.close()
            except TimeoutError:
                logger.warning("The media of a call did not close within %s s; left behind.", CLOSE_TIMEOUT_S)
            except Exception as error:  # noqa: BLE001 - a provider's fault becomes the loop's event
                report_fault("The media of a call could not be closed", error)
        for subscription in self._subscriptions:
            subscription.dispose()

    @property
    def has_relay(self) -> bool:
        """Whether the media can be limited to relayed paths, and a relay is known."""
        return isinstance(self.media, PathMedia) and any(map(is_turn, self._line.ice_servers))

    def use_paths(self, *, relay_only: bool) -> None:
        """Use the service's present ICE servers from the next connection on, if the media can."""
        if isinstance(self.media, PathMedia):
            self.media.use_paths(self._line.ice_servers, relay_only=relay_only or self._line.relay_only)

    def constrain(self, kind: str, constraints: Mapping[str, Any]) -> None:
        """Apply W3C constraints to "audio" or "video"; raises `InvalidStateError` when the media cannot."""
        if not isinstance(self.media, ConstrainableMedia):
            raise InvalidStateError("This call's media cannot be told how to process its sound.")
        self.media.apply_constraints(kind, constraints)


async def described(work: Awaitable[T]) -> T:
    """Return the result of the media's `work` on a description; raises `MediaError` when it fails or takes too long."""
    try:
        async with asyncio.timeout(DESCRIBE_TIMEOUT_S):
            return await work
    except Exception as error:
        raise MediaError(f"The media of a call failed: {error or type(error).__name__}") from error
