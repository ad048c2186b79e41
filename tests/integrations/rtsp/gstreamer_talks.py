"""Talks at a door through GStreamer's rtspsrc, until it is killed; the system's Python has the bindings."""

import sys
from typing import Any

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst  # noqa: E402 - once the version is said

Gst.init(None)
pipeline = Gst.parse_launch(
    f"rtspsrc name=door backchannel=onvif protocols=tcp location={sys.argv[1]} ! fakesink "
    "audiotestsrc is-live=true freq=440 ! audioconvert ! audioresample ! audio/x-raw,rate=8000,channels=1 ! alawenc ! "
    "rtppcmapay min-ptime=20000000 max-ptime=20000000 ! appsink name=voice emit-signals=true"
)
door, voice = pipeline.get_by_name("door"), pipeline.get_by_name("voice")
way_back: list[int] = []


def select(_: Any, number: int, caps: Any) -> bool:
    """Take the picture and the way back."""
    said = caps.get_structure(0)
    if said.has_field("a-sendonly"):
        way_back.append(number)
    return bool(way_back) or said.get_string("media") == "video"


def speak(_: Any) -> Any:
    """Send the next packet of the voice."""
    sample = voice.emit("pull-sample")
    if way_back:
        door.emit("push-backchannel-buffer", way_back[0], sample)
    return Gst.FlowReturn.OK


door.connect("select-stream", select)
voice.connect("new-sample", speak)
pipeline.set_state(Gst.State.PLAYING)
GLib.MainLoop().run()
