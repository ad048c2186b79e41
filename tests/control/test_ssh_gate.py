"""Which commands a role may run over SSH."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.cli import main
from intercom.cli.command_table import TABLE
from intercom.cli.ssh import options_of, rules
from intercom.control import ssh_gate
from intercom.control.errors import GateError
from intercom.control.roles import ROLES
from intercom.control.ssh_gate import Request, shown

OURS = {"by": "", "socket": None}
"""What the gate itself sets."""


def admit(role: str, asked: str, *, terminal: bool = False) -> Request:
    return ssh_gate.admit(rules(role), asked, role=role, terminal=terminal)


def options(request: Request) -> dict[str, object]:
    """The options that the command gets from the gate."""
    command = next(command for command in TABLE if command.words == request.command)
    return vars(options_of(command, request, **OURS))


def parsed(words: list[str]) -> dict[str, object]:
    """The options that the command gets from the parser."""
    named = vars(main.parser([command for command in TABLE if command.words.split()[0] == words[0]]).parse_args(words))
    del named["command"]
    return named


@st.composite
def spoken(draw: st.DrawFn, role: str) -> list[str]:
    """A whole command with words that its rule lets through."""
    command, rule = draw(st.sampled_from(sorted(rules(role).items())))
    words = command.split(" ")
    for option in draw(st.lists(st.sampled_from(sorted(rule.options)), unique=True)) if rule.options else ():
        pattern = rule.options[option].pattern
        words += (
            [option, draw(st.from_regex(pattern, fullmatch=True, alphabet=st.characters(codec="ascii")))]
            if pattern
            else [option]
        )
    least = sum(value.required for value in rule.words)
    for value in rule.words[: draw(st.integers(least, len(rule.words)))]:
        words.append(draw(st.from_regex(value.pattern, fullmatch=True)))
    return words


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
    assert options(admit("viewer", asked)) == parsed(asked.split())


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
    assert options(admit("operator", asked)) == parsed(asked.split())
    with pytest.raises(GateError, match="a viewer may not run that"):
        admit("viewer", asked)


@pytest.mark.parametrize("address", ["/private/house", "/public/echo?channel=audio", "+15551234567", "sip:a@b.example"])
def test_an_operator_may_call_an_address(address: str) -> None:
    assert admit("operator", f"call {address}") == ("call", {"address": address})


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
        "messages delete -A",
        "say -x",
        "notify test -x",
        "webhook test -x",
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
        admit("operator", asked)
    assert "\n" not in str(caught.value)


def test_quotes_are_only_quotes() -> None:
    assert admit("viewer", "'status' \"--json\"") == ("status", {"json": True})


def test_a_terminal_is_for_watching_only() -> None:
    assert admit("viewer", "watch", terminal=True) == ("watch", {})
    with pytest.raises(GateError, match="only watch may have a terminal"):
        admit("operator", "status", terminal=True)


@given(st.text(), st.sampled_from(ROLES), st.booleans())
def test_what_passes_is_a_command_of_the_role_and_nothing_hidden(asked: str, role: str, terminal: bool) -> None:
    try:
        request = admit(role, asked, terminal=terminal)
    except GateError:
        return
    assert request.command in rules(role)
    words = shlex.split(asked)
    assert {value for value in request.values.values() if value is not True} <= set(words)


@given(st.data(), st.sampled_from(ROLES))
def test_a_command_gets_from_the_gate_what_its_parser_would_give_it(data: st.DataObject, role: str) -> None:
    words = data.draw(spoken(role))
    assert options(admit(role, shlex.join(words))) == parsed(words)


@given(st.text())
def test_the_log_of_a_refusal_is_one_short_plain_line(asked: str) -> None:
    line = shown(asked)
    assert line.isascii()
    assert line.isprintable()
    assert len(line) < 1300
