"""The commands that switch the door's camera and its own reply, and those for visitors' messages, at a whole door."""

from __future__ import annotations

from pathlib import Path

from intercom.cli.running_door import remote as cli
from intercom.config import AudioConfig, PromptsConfig
from tests.door.test_handlers import home, say
from tests.e2e.home import Home, home_config

__all__ = ["home"]


async def test_the_camera_is_switched_off_and_on_and_status_says_so(home: Home, tmp_path: Path) -> None:
    assert home.door is not None
    assert (await say(home, "camera")).out == "The camera may run, and does not run now.\n"
    assert (await say(home, "camera", "off")).out == "The camera is off, by command.\n"
    assert "held off by command" in (await say(home, "status")).out
    assert "switched off for privacy" in (await say(home, "snapshot", str(tmp_path / "now.jpg"))).err
    home.door.panel.camera.simulate_switch(True)
    answer = await say(home, "camera", "on")
    assert (answer.code, answer.out) == (cli.REFUSED, "The camera is off, by switch.\n")
    home.door.panel.camera.simulate_switch(False)
    assert (await say(home, "camera", "on")).code == cli.OK


async def test_the_door_s_own_reply_is_switched_off_and_on_and_status_says_so(tmp_path: Path) -> None:
    prompts = PromptsConfig(languages=("en",), auto_reply_s=30.0)
    home = Home(tmp_path, home_config(audio=AudioConfig(card="simulated"), prompts=prompts))
    await home.start()
    try:
        assert (await say(home, "auto-reply")).out == "The door replies to visitors by itself.\n"
        assert (await say(home, "auto-reply", "off")).out == "The door does not reply to visitors by itself.\n"
        assert (await say(home, "status", "--json")).json["auto_reply"] is False
    finally:
        await home.stop()


async def test_a_door_that_never_replies_by_itself_says_so(home: Home) -> None:
    answer = await say(home, "auto-reply", "off")
    assert (answer.code, "prompts.auto_reply_s is 0" in answer.err) == (cli.REFUSED, True)


async def test_messages_are_listed_fetched_and_deleted(home: Home, tmp_path: Path) -> None:
    assert home.door is not None
    files = home.door.messages.files
    assert "No message" in (await say(home, "messages")).out
    film = bytes(range(256)) * 2000
    files.finish(files.append(files.begin("ring-1"), film), seconds=7)
    (listed,) = (await say(home, "messages", "--json")).json
    assert (listed["id"], listed["seconds"], listed["bytes"]) == ("ring-1", 7, len(film))
    assert "ring-1" in (await say(home, "messages")).out
    fetched = await say(home, "messages", "get", "ring-1", str(tmp_path / "message.mp4"))
    assert fetched.code == cli.OK, fetched.err
    assert (tmp_path / "message.mp4").read_bytes() == film
    assert (await say(home, "messages", "get", "ring-2", "-")).code == cli.REFUSED
    assert (await say(home, "messages", "get", "../ring-1", "-")).code == cli.REFUSED
    assert (await say(home, "messages", "delete", "ring-1")).code == cli.OK
    assert files.all() == []
