"""Which commands a role may run over SSH."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.control.errors import GateError
from intercom.control.ssh_gate import ROLES, admit, shown

PAGE = Path(__file__).parents[2] / "docs" / "ssh.md"


@pytest.mark.parametrize(
    "asked",
    [
        "status",
        "status --json",
        "watch",
        "calls -n 5 --json",
        "log -n 100",
        "faults",
        "devices",
    ],
)
def test_a_viewer_may_look(asked: str) -> None:
    assert admit("viewer", asked, terminal=False) == asked.split()


@pytest.mark.parametrize(
    "asked",
    [
        "call",
        "answer",
        "hangup",
        "mute",
        "unmute speaker",
        "volume speaker -6",
        "camera off",
        "snapshot -",
        "snapshot --last -",
        "door open",
        "restart",
    ],
)
def test_only_an_operator_may_act(asked: str) -> None:
    assert admit("operator", asked, terminal=False) == asked.split()
    with pytest.raises(GateError, match="a viewer may not run that"):
        admit("viewer", asked, terminal=False)


@pytest.mark.parametrize("address", ["/private/house", "/public/echo?channel=audio", "+15551234567", "sip:a@b.example"])
def test_an_operator_may_call_an_address(address: str) -> None:
    assert admit("operator", f"call {address}", terminal=False) == ["call", address]


@pytest.mark.parametrize(
    "asked",
    [
        "sh",
        "bash -i",
        "status; id",
        "status && id",
        "status | sh",
        "status $(id)",
        "status `id`",
        "status\nid",
        "status\x00id",
        "status > /tmp/x",
        "snapshot /tmp/x",
        "snapshot",
        "status --socket /tmp/x",
        "status --js",
        "status --help",
        "--version",
        "run",
        "config check /etc/shadow",
        "ssh-gate operator",
        "ssh-key add /tmp/key --role operator",
        "diagnostics -o /tmp/x",
        "calls -n",
        "calls -n -1",
        "calls -n 99999",
        "calls -n 5 5",
        "call --config=/etc/shadow",
        "call -h",
        "call ''",
        "call $HOME",
        "call /private/house /private/house",
        "volume speaker 1e9",
        "volume speaker nan",
        "volume -6",
        "door",
        "door close",
        "door open open",
        "mute everything",
        "'status",
        'status "',
        "\u202estatus",
        "stätus",
        "internal-sftp",
        "/usr/lib/openssh/sftp-server",
        "scp -t /tmp",
        "rsync --server .",
        "status " + "x" * 100_000,
        "",
        "   ",
        "''",
        "#",
    ],
)
def test_nothing_else_passes_the_gate(asked: str) -> None:
    with pytest.raises(GateError) as caught:
        admit("operator", asked, terminal=False)
    assert "\n" not in str(caught.value)


def test_the_page_for_people_lists_what_each_role_may_say() -> None:
    rows = [line.split("|") for line in PAGE.read_text().splitlines() if line.startswith("|")]
    listed = {row[1].strip(): {say.split()[0] for say in re.findall(r"`([^`]+)`", row[2])} for row in rows}
    assert listed["viewer"] == set(ROLES["viewer"])
    assert listed["operator"] == set(ROLES["operator"]) - set(ROLES["viewer"])


def test_quotes_are_only_quotes() -> None:
    assert admit("viewer", "'status' \"--json\"", terminal=False) == ["status", "--json"]


def test_a_terminal_is_for_watching_only() -> None:
    assert admit("viewer", "watch", terminal=True) == ["watch"]
    with pytest.raises(GateError, match="only watch may have a terminal"):
        admit("operator", "status", terminal=True)


@given(st.text(), st.sampled_from(sorted(ROLES)), st.booleans())
def test_what_passes_is_a_command_of_the_role_and_nothing_hidden(asked: str, role: str, terminal: bool) -> None:
    try:
        words = admit(role, asked, terminal=terminal)
    except GateError:
        return
    assert words[0] in ROLES[role]
    assert words == shlex.split(asked)


@given(st.text())
def test_the_log_of_a_refusal_is_one_short_plain_line(asked: str) -> None:
    line = shown(asked)
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 1300
