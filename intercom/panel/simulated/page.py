"""The front panel as a web page, while its pins are simulated."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from intercom.panel.front import FrontPanel

if TYPE_CHECKING:
    from intercom.panel.simulated.page_server import PageServer


class PanelPage:
    """Serves the front panel as a web page, which presses the simulated button and shows the real pin values.

    `listen` is "host:port" (port 0 = any free one); `snapshot` returns the camera's view as a JPEG, or raises OSError,
    and is called a few times a second while a page is open. The web server's libraries are imported by `start`, since
    an appliance with real pins needs none of them.
    """

    def __init__(self, front: FrontPanel, listen: str, snapshot: Callable[[], Awaitable[bytes]]) -> None:
        assert front.simulated, "real pins are pressed by hand"
        self._front = front
        self._listen = listen
        self._snapshot = snapshot
        self._server: PageServer | None = None

    @property
    def url(self) -> str:
        """The page's address; only after `start`."""
        assert self._server is not None
        return self._server.url

    async def start(self) -> None:
        """Serve the page; raises PageError when the address is taken or not this machine's."""
        from intercom.panel.simulated.page_server import PageServer

        server = PageServer(self._front, self._listen, self._snapshot)
        await server.start()
        self._server = server

    async def stop(self) -> None:
        """Close every page's connection and stop serving, within a second."""
        if self._server is not None:
            await self._server.stop()
