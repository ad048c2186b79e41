"""The page's files: complete, installable, and without anything that a strict policy forbids."""

import json
import re

from intercom import station


def test_every_file_of_the_page_is_listed_and_nothing_else() -> None:
    present = {path.name for path in station.DIRECTORY.iterdir() if path.suffix not in {".py", ""}}
    assert present == set(station.ASSETS)


def test_the_offline_copy_holds_every_file() -> None:
    listed = set(re.findall(r'"([\w.-]+\.\w+)"', (station.DIRECTORY / "offline.js").read_text()))
    assert listed == set(station.ASSETS) - {"index.html", "offline.js"}


def test_the_page_brings_no_inline_script_or_style() -> None:
    html = (station.DIRECTORY / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)", html) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=", html) == []


def test_network_text_never_becomes_markup() -> None:
    code = "".join(path.read_text() for path in station.DIRECTORY.glob("*.js"))
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", code) == []


def test_the_manifest_makes_the_page_installable() -> None:
    manifest = json.loads((station.DIRECTORY / "station.webmanifest").read_text())
    assert {"name", "short_name", "start_url", "display", "icons"} <= set(manifest)
    assert all((station.DIRECTORY / icon["src"]).is_file() for icon in manifest["icons"])
