"""Every page for people: what it links to is there, what it tells to type is a command, what it sets is a setting."""

from __future__ import annotations

import argparse
import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from intercom.cli import main
from intercom.config import Config
from intercom.config.migrations import HISTORY

ROOT = Path(__file__).parent.parent
PAGES = sorted(
    page
    for pattern in ("*.md", "docs/**/*.md", "hw/**/*.md", "systemd/**/*.md", "tests/**/README.md")
    for page in ROOT.glob(pattern)
    if not {"node_modules", "build"} & set(page.parts)
)
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^(?:```|~~~).*?^(?:```|~~~)\s*$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^ {4,}(\S.*)$", re.MULTILINE)
SPAN = re.compile(r"`([^`\n]+)`")
TABLES = {field.name: field.default for field in dataclasses.fields(Config) if dataclasses.is_dataclass(field.default)}
NOT_SETTINGS = {"session", "conf", "service", "py", "db", "sqlite3", "toml", "json", "md", "media", "recovery"}
"""What follows a table's name in the name of a file, an attribute or a field of the status document."""
FORMER = {*HISTORY.renamed, *HISTORY.removed}
"""Former names of settings, which the changelog may tell of."""


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(page: Path) -> str:
    return FENCE.sub("", page.read_text(encoding="utf-8"))


def anchors(page: Path) -> set[str]:
    """What the page's headings are called in links: lower case, dashes for spaces, no other signs."""
    headings = re.findall(r"^#+\s+(.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def typed(page: Path) -> Iterator[str]:
    """Every line that a reader might type: in code blocks and between backticks."""
    text = page.read_text(encoding="utf-8")
    for block in FENCE.findall(text):
        yield from block.splitlines()[1:-1]
    rest = FENCE.sub("", text)
    yield from INDENTED.findall(rest)
    yield from SPAN.findall(rest)


def after(program: str, line: str) -> list[str] | None:
    """The words after `program` in a command line; None when it is another command."""
    found = re.match(
        rf"(?:\$ )?(?:sudo (?:-u \w+ )?)?(?:ssh (?:-t )?intercom@door|(?:\S*/)?{program})(?: (.*))?$", line.strip()
    )
    if found is None or (program != "intercom" and "ssh " in line):
        return None
    return re.split(r"\s+#|\s*[|>&;]|\\", found[1] or "")[0].split()


def fault_of(words: list[str]) -> str | None:
    """What is wrong with the words of an `intercom` command; what stands for something (FILE, […]) is passed over."""
    parser = main.parser()
    for word in words:
        if word.startswith("-"):
            known = {option for action in parser._actions for option in action.option_strings}
            if word.partition("=")[0] not in known:
                return f"no option {word} in `{parser.prog}`"
            continue
        if re.search(r"[\[\]A-Z<…]", word):
            continue
        choices = next((a.choices for a in parser._actions if isinstance(a, argparse._SubParsersAction)), None)
        if choices is None:
            continue
        if word not in choices:
            return f"no command {word} in `{parser.prog}`"
        parser = choices[word]
    return None


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    dead = []
    for link in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            dead.append(link)
    assert not dead


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_command_that_it_names_is_one(page: Path) -> None:
    faults = []
    for line in typed(page):
        words = after("intercom", line)
        if words is not None and (fault := fault_of(words)):
            faults.append(f"{line.strip()}: {fault}")
    assert not faults


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_make_target_that_it_names_is_one(page: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = {words[0] for line in typed(page) if (words := after("make", line)) and re.fullmatch(r"[a-z-]+", words[0])}
    assert not [target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_setting_that_it_names_is_one(page: Path) -> None:
    unknown = []
    for span in SPAN.findall(prose(page)):
        for table, name in re.findall(rf"(?<![\w./])({'|'.join(TABLES)})\.([a-z]\w*)", span):
            settings = {field.name for field in dataclasses.fields(TABLES[table])}
            if page.name == "CHANGELOG.md" and f"{table}.{name}" in FORMER:
                continue
            if name not in settings | NOT_SETTINGS and not (table == "call" and page.name == "signalwire.md"):
                unknown.append(f"{table}.{name}")
    assert not unknown


@pytest.mark.parametrize(
    "line",
    [
        "intercom statu",
        "$ sudo intercom door close",
        "ssh intercom@door calls --jsn",
        "sudo .venv/bin/intercom space piar",
    ],
)
def test_a_misspelt_command_is_found(line: str) -> None:
    words = after("intercom", line)
    assert words is not None
    assert fault_of(words)


@pytest.mark.parametrize(
    "line",
    ["intercom call [ADDRESS]", "sudo -u intercom /opt/intercom/bin/intercom space pair --name Kitchen", "intercom"],
)
def test_a_right_command_passes(line: str) -> None:
    words = after("intercom", line)
    assert words is not None
    assert fault_of(words) is None


def test_every_attack_is_on_the_page_of_what_holds_and_what_is_named_there_is_there() -> None:
    named = set(re.findall(r"`([\w/]*test_\w+\.py)`", (ROOT / "docs" / "security.md").read_text(encoding="utf-8")))
    attacks = {file.name for file in (ROOT / "tests" / "security").glob("test_*.py")}
    assert attacks - named == set()
    assert [name for name in named - attacks if not (ROOT / name).exists()] == []
