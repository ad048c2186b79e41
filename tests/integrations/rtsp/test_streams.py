"""What is offered: URLs, their tracks, and the description."""

from __future__ import annotations

import pytest

from intercom.integrations.rtsp.streams import Offered, description, located, sets_of

SPS, PPS = bytes.fromhex("6742c01fda0140"), bytes.fromhex("68ce3c80")


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("rtsp://door:8554/door", ("door", "")),
        ("rtsp://door:8554", ("door", "")),
        ("rtsp://door:8554/", ("door", "")),
        ("rtsp://door:8554/door/video", ("door", "video")),
        ("rtsp://door:8554/door//audio", ("door", "audio")),
        ("rtsp://door:8554/door-pcma?x=y/talk", ("door-pcma", "talk")),
        ("rtsp://door:8554/other", None),
        ("http://door:8554/door", None),
        ("*", None),
    ],
)
def test_a_url_names_a_stream_and_perhaps_a_track(url: str, place: tuple[str, str] | None) -> None:
    assert located(url) == place


def test_a_keyframe_holds_the_parameter_sets() -> None:
    start = b"\x00\x00\x00\x01"
    assert sets_of(start + SPS + start + PPS + start + b"\x65picture") == (SPS, PPS)
    assert sets_of(start + b"\x41picture") is None


def test_the_description_says_how_to_decode_the_picture_before_it_comes() -> None:
    offered = Offered("door", ("video",))
    said = description(offered, address="192.168.1.2", sets=(SPS, PPS), bitrate_bps=1_500_000, number=1)
    assert "a=fmtp:96 packetization-mode=1;profile-level-id=42c01f;sprop-parameter-sets=Z0LAH9oBQA==,aM48gA==" in said
    assert "b=AS:1500" in said


def test_the_way_back_has_the_codec_of_the_microphone() -> None:
    for path, form in (("door", "opus/48000/2"), ("door-pcma", "PCMA/8000")):
        offered = Offered(path, ("video", "audio", "talk"))
        said = description(offered, address="::1", sets=None, bitrate_bps=0, number=1)
        assert said.count(form) == 2
        assert said.endswith("a=control:talk\r\na=sendonly\r\n")
