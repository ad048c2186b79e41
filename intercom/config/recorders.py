"""The settings for recorders and players: RTSP and ONVIF."""

from intercom.config.fields import LISTEN, setting
from intercom.config.table import Table


class RtspConfig(Table):
    """The camera and the microphone for recorders and players: [recorders.md](recorders.md). Off by default."""

    listen: str = setting(
        "",
        "Where the door serves RTSP, for example `0.0.0.0:8554`. It is not encrypted: keep it to your network. Empty: "
        "nowhere.",
        shape=LISTEN,
    )
    sound: bool = setting(
        False,
        "Let whoever watches hear the microphone too, at any time. Mind the law where you live: most forbid more to "
        "listen in than to look.",
    )
    most_viewers: int = setting(
        4, "Who may watch at once. One more is told that there is no room, and tries again.", low=1, high=16
    )


class OnvifConfig(Table):
    """The door as an ONVIF device, for recorders that find its stream, bell and relay by it. Off by default."""

    listen: str = setting(
        "",
        "Where the door serves ONVIF, for example `0.0.0.0:8000`; it names the stream of `rtsp.listen`, and has the "
        "same accounts. It is not encrypted: keep it to your network. Empty: nowhere.",
        shape=LISTEN,
    )
