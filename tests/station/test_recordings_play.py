"""Real browsers play a recording by <video>, to its end, also one that a power cut ended."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from playwright.async_api import async_playwright

from tests.firefox import firefox
from tests.media.recording.film import film
from tests.station.conftest import CHROMIUM, FLAGS
from tests.station.waiting import PATIENCE_MS

PLAYS = """(async (film) => {
  const blob = await (await fetch("data:video/mp4;base64," + film)).blob();
  const video = document.createElement("video");
  video.muted = true;
  video.src = URL.createObjectURL(blob);
  document.body.append(video);
  const over = new Promise((resolve) => {
    for (const kind of ["ended", "error"]) video.addEventListener(kind, () => resolve(kind), { once: true });
  });
  await video.play().catch(() => {});
  const how = await over;
  return JSON.stringify({
    how, error: video.error?.message ?? "", at: video.currentTime, duration: video.duration, width: video.videoWidth,
    height: video.videoHeight, sound: video.mozHasAudio ?? video.webkitAudioDecodedByteCount > 0,
  });
})"""

FILMS = {
    "whole": (b"".join(film(3)), 3, True),
    "cut off": (b"".join(film(3)[:3]), 2, True),
    "sound alone": (b"".join(film(3, picture=False)), 3, False),
}


def call(name: str) -> str:
    return f"{PLAYS}('{base64.b64encode(FILMS[name][0]).decode()}')"


def check(name: str, told: dict[str, Any]) -> None:
    _, seconds, picture = FILMS[name]
    assert (told["how"], told["error"]) == ("ended", ""), told
    assert told["at"] == pytest.approx(seconds, abs=0.15), told
    assert told["duration"] == pytest.approx(seconds, abs=0.15), told
    assert told["sound"], told
    assert (told["width"], told["height"]) == ((160, 90) if picture else (0, 0)), told


async def test_chromium_plays_it() -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS, timeout=PATIENCE_MS)
        page = await browser.new_page()
        for name in FILMS:
            check(name, json.loads(await page.evaluate(call(name))))
        await browser.close()


async def test_firefox_plays_it() -> None:
    async with firefox() as page:
        await page.goto("data:text/html,<title>a page</title>")
        for name in FILMS:
            check(name, json.loads(await page.evaluate(call(name))))
