"""Everything that reads what others send: its whole inputs, how they are broken, and what it may say to them."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.fuzz import broker, files, media, recorders, served, wire

How = Literal["bytes", "lines", "json"]


@dataclass(frozen=True)
class Target:
    """One reader."""

    name: str
    seeds: tuple[bytes, ...]
    how: How
    "how its input is broken"
    make: Callable[[], Callable[[bytes], object]]
    "builds the reader; what it raises then is a finding"
    lasts: float = math.inf
    "inputs after which it is built anew: a session with a state of its own"


TARGETS = (
    Target("exchange", wire.EXCHANGE, "json", wire.exchange, lasts=400),
    Target("client", wire.CLIENT, "json", wire.client, lasts=400),
    Target("offer", media.OFFERS, "lines", media.offer),
    Target("answer", media.ANSWERS, "lines", media.answer),
    Target("passed-on", media.OFFERS, "lines", media.passed_on),
    Target("rtp", media.RTP, "bytes", media.rtp, lasts=2000),
    Target("rtcp", media.RTCP, "bytes", media.rtcp),
    Target("stun", media.STUN, "bytes", media.stun),
    Target("control", wire.CONTROL, "json", wire.control, lasts=1000),
    Target("ssh-gate", wire.SSH, "lines", wire.ssh_gate),
    Target("configuration", files.CONFIGURATIONS, "lines", files.configuration),
    Target("bodies", wire.BODIES, "json", wire.bodies),
    Target("push", served.PUSH, "json", served.push, lasts=400),
    Target("space", served.SPACE, "json", served.space, lasts=400),
    Target("viewers", served.VIEWERS, "json", served.viewers, lasts=400),
    Target("api", served.API, "json", served.api, lasts=2000),
    Target("onvif", served.ONVIF, "lines", served.onvif, lasts=2000),
    Target("rtsp", recorders.SEEDS, "lines", recorders.rtsp, lasts=1000),
    Target("tokens", wire.tokens_of(), "bytes", wire.tokens),
    Target("address", wire.ADDRESSES, "bytes", wire.address),
    Target("credential", wire.CREDENTIALS, "bytes", wire.credential),
    Target("broker", broker.SEEDS, "bytes", broker.packets),
    Target("state-files", files.STATE, "json", files.state),
)
BY_NAME = {target.name: target for target in TARGETS}
