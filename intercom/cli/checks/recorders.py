"""What `intercom doctor` finds out about recorders and players."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from intercom.cli.checks.finding import BAD, GOOD, WARNING, Finding
from intercom.config import Config

LONG_S = 3600
"""Time after which somebody who watches is no person any more, but a recorder."""
ALL_DAY = 0.5
"""Share of the time from which the camera counts as running all day."""


def recorders(config: Config, doc: Mapping[str, Any] | None) -> Iterator[Finding]:
    """Yield what the status of the running door says of those who watch by RTSP."""
    if not config.rtsp.listen:
        return
    told = ((doc or {}).get("integrations") or {}).get("rtsp")
    if told is None:
        yield Finding("recorders", WARNING, "no running door serves rtsp.listen", "restart the door")
        return
    if not told["accounts"]:
        yield Finding("recorders", BAD, "nobody has an account", "`intercom recorder add NAME` makes one")
        return
    viewers = told["viewers"]
    names = ", ".join(sorted({viewer["name"] for viewer in viewers}))
    yield Finding("recorders", GOOD, f"{names} watch now" if viewers else "nobody watches now")
    if any(viewer["for_s"] >= LONG_S for viewer in viewers) or _is_watched_all_day(told):
        what = "the camera and the microphone run" if config.rtsp.sound else "the camera runs"
        yield Finding(
            "recorders",
            WARNING,
            f"somebody watches nearly all the time, so that {what} all day: that costs power, warms the camera, and "
            "keeps its light on",
            "let the recorder record by event, or use the pictures of the presses; docs/recorders.md",
        )


def _is_watched_all_day(told: Mapping[str, Any]) -> bool:
    return bool(told["up_s"] >= LONG_S and told["watched_s"] >= told["up_s"] * ALL_DAY)
