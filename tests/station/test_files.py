"""The page's files: complete, installable, and without anything that a strict policy forbids."""

import json
import re

from intercom import languages, station


def test_the_offline_copy_holds_every_file() -> None:
    shell = re.search(r"SHELL = \[(.*?)\]", (station.DIRECTORY / "offline.js").read_text(), re.DOTALL)
    assert shell is not None
    files = {path for path in station.DIRECTORY.rglob("*") if path.suffix not in {".py", ".pyc", ".typed", ""}}
    present = {path.relative_to(station.DIRECTORY).as_posix() for path in files}
    present |= {f"languages/{path.name}" for path in languages.DIRECTORY.glob("*.json")}
    assert sorted(re.findall(r'"([^"]+)"', shell[1])) == sorted(present - {"index.html", "offline.js"} | {"./"})


def test_the_page_brings_no_inline_script_or_style() -> None:
    html = (station.DIRECTORY / "index.html").read_text()
    assert re.findall(r"<script(?![^>]*\bsrc=)", html) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=", html) == []


def test_what_moves_for_ever_is_moved_by_the_compositor() -> None:
    """The page's own thread, which takes the answer, draws each picture of an SVG that is turned by `rotate`."""
    css = (station.DIRECTORY / "station.css").read_text()
    moved = set(re.findall(r"([a-z-]+):", "".join(re.findall(r"@keyframes \w+ \{(.*)\}", css))))
    assert moved == {"opacity", "transform"}


def test_network_text_never_becomes_markup() -> None:
    code = "".join(path.read_text() for path in station.DIRECTORY.rglob("*.js"))
    assert re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", code) == []


def test_the_manifest_makes_the_page_installable() -> None:
    manifest = json.loads((station.DIRECTORY / "station.webmanifest").read_text())
    assert {"name", "short_name", "start_url", "display", "icons"} <= set(manifest)
    assert all((station.DIRECTORY / icon["src"]).is_file() for icon in manifest["icons"])
