"""The configuration: what it accepts, what it says about the rest, and that its documentation is true."""

import dataclasses
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom import config
from intercom.config import Config, ConfigError, loads
from intercom.config.fields import Setting, settings_of, tables_of
from intercom.config.render import toml_value
from tests.config.problems import only_problem, problems_of

PAGE = Path(__file__).parents[2] / "docs" / "configuration.md"


def every_setting() -> list[tuple[str, Setting]]:
    found = [("", item) for item in settings_of(Config)]
    return found + [(name, item) for name, table in tables_of(Config) for item in settings_of(table)]


def uncommented(example: str) -> str:
    lines = example.split("\n")
    return "\n".join(line[1:] if line.startswith("#") and not line.startswith("# ") else line for line in lines)


# What is accepted


def test_no_file_and_an_empty_file_both_mean_the_defaults(tmp_path: Path) -> None:
    empty = tmp_path / "intercom.toml"
    empty.touch()
    assert config.load(None) == config.load(empty) == Config()


def test_values_reach_their_fields_in_their_types() -> None:
    read = loads('[call]\nring = "+15551234567"\nring_time_s = 30\nauto_answer = ["/private/ann"]\nvideo = false')
    assert read.call == config.CallConfig(
        ring="+15551234567", ring_time_s=30.0, auto_answer=("/private/ann",), video=False
    )
    assert isinstance(read.call.ring_time_s, float)


@pytest.mark.parametrize(
    "address",
    ["/private/house", "/public/front-desk", "/private/house?channel=audio", "+15551234567", "sip:ann@example.com"],
)
def test_every_form_of_address_can_be_rung(address: str) -> None:
    assert loads(f'[call]\nring = "{address}"').call.ring == address


def test_a_file_from_an_editor_that_writes_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    file = tmp_path / "intercom.toml"
    file.write_bytes(b'\xef\xbb\xbf[log]\r\nlevel = "debug"\r\n')
    assert config.load(file).log.level == "debug"


def test_an_optional_text_may_be_empty() -> None:
    read = loads('[panel]\npage_listen = ""\n[door]\nopen_digits = ""\n')
    assert (read.panel.page_listen, read.door.open_digits) == ("", "")


# What is refused, and how it is said


@pytest.mark.parametrize(
    ("text", "where", "message"),
    [
        ("[call]\nauto_answer_delay_s = 6", "call.auto_answer_delay_s", "expected a number from 0 to 5, not 6"),
        ("[call]\nvideo = 1", "call.video", "expected true or false, not 1"),
        ("[camera]\nwidth = 1280.0", "camera.width", "expected a whole number from 160 to 1920, not 1280.0"),
        ("[door]\ncap_s = nan", "door.cap_s", "expected a number from 0.1 to 7, not nan"),
        ("[door]\ncap_s = 7.5", "door.cap_s", "expected a number from 0.1 to 7, not 7.5"),
        ("[door]\nrelay_gpio = true", "door.relay_gpio", "expected a whole number from 0 to 27, not true"),
        ('[panel]\nlight = "RGB"', "panel.light", 'expected one of "rgb", "single", "none", not "RGB"'),
        ('[space]\nlisten = "8480"', "space.listen", 'expected "host:port", for example "127.0.0.1:8480", not "8480"'),
        ('log = "debug"', "log", "expected a table: write [log] on its own line and its settings below"),
    ],
)
def test_a_wrong_value_is_told_what_was_expected(text: str, where: str, message: str) -> None:
    problem = only_problem(text)
    assert (problem.where, problem.message) == (where, message)


@pytest.mark.parametrize(
    "address", ["house", "/secret/house", "/private/", "15551234567", "+0155", "sip:ann", "", "/private/a b"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    assert only_problem(f'[call]\nring = "{address}"').where == "call.ring"


def test_the_wrong_entry_of_a_list_is_named() -> None:
    problem = only_problem('[call]\nauto_answer = ["/private/ann", "bob", "/private/cleo"]')
    assert problem.message.endswith('not "bob"')


def test_an_unencrypted_service_is_refused_beyond_this_machine() -> None:
    assert loads('[account]\nrelay_url = "ws://localhost:8480"').account.relay_url == "ws://localhost:8480"
    assert only_problem('[account]\nrelay_url = "ws://relay.example.com"').where == "account.relay_url"


def test_all_problems_are_told_at_once_in_the_order_of_the_file() -> None:
    text = '[log]\nlevel = "loud"\n\n[call]\nring = "house"\nring_time_s = "long"\n'
    assert [(problem.line, problem.where) for problem in problems_of(text)] == [
        (2, "log.level"),
        (5, "call.ring"),
        (6, "call.ring_time_s"),
    ]


def test_a_list_of_hundreds_of_problems_is_cut_short() -> None:
    text = "[call]\n" + "".join(f"x{number} = 1\n" for number in range(500))
    problems = problems_of(text)
    assert len(problems) == 51
    assert problems[-1].message == "and 450 more problems"


def test_a_misspelt_setting_is_offered_the_right_one() -> None:
    problem = only_problem("[call]\nring_tme_s = 20")
    assert problem.message == "no such setting; did you mean call.ring_time_s?"


def test_a_misspelt_table_is_offered_the_right_one() -> None:
    assert only_problem("[camra]\nwidth = 640").message == "no such table; did you mean camera?"


def test_a_setting_in_the_wrong_table_is_sent_home() -> None:
    assert only_problem("[call]\nhold_s = 3").message == "this setting belongs under [panel]: move it there"


def test_a_top_setting_inside_a_table_is_sent_to_the_top() -> None:
    problem = only_problem('[log]\nstate_dir = "/var/lib/intercom"')
    assert problem.message == "this setting belongs at the top of the file, above the first [table]: move it there"


def test_a_syntax_error_is_told_with_its_line() -> None:
    problem = only_problem("[call]\nring_time_s = 5s\n")
    assert problem.line == 2
    assert problem.message.startswith("this is not TOML: expected newline")


@pytest.mark.parametrize("text", ["a = " + "[" * 5000, "a = " + "9" * 5000, "a" + ".a" * 1500 + " = 1", "[a\x00]"])
def test_a_hostile_text_gets_a_sentence_and_no_traceback(text: str) -> None:
    assert problems_of(text)


# Where it stands


def test_a_value_of_many_lines_is_found_at_its_first() -> None:
    text = '# a comment\n\n[call]\nauto_answer = [\n  "/private/ann", # [door]\n  "bob",\n]\nring = 7\n'
    assert [problem.line for problem in problems_of(text)] == [4, 8]


def test_what_looks_like_a_setting_inside_a_text_is_not_mistaken_for_one() -> None:
    text = '[call]\nring = """\n[door]\nrelay_gpio = 17\n"""\n[door]\nrelay_gpio = 99\n'
    assert [(problem.line, problem.where) for problem in problems_of(text)] == [
        (2, "call.ring"),
        (7, "door.relay_gpio"),
    ]


@pytest.mark.parametrize("text", ["\ncall.ring = 1", "\ncall = {ring = 1}", '\n"call".ring = 1', "\n[call]\nring = 1"])
def test_every_spelling_of_a_table_is_found(text: str) -> None:
    problem = only_problem(text)
    assert problem.line == text.count("\n") + 1
    assert problem.where == "call.ring"


# The file itself


@pytest.mark.parametrize("content", [b"\xff\xfe[\x00l\x00", b"#" * 100_000])
def test_a_file_that_is_no_configuration_is_refused_in_one_sentence(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "intercom.toml"
    file.write_bytes(content)
    with pytest.raises(ConfigError, match=r"intercom\.toml: one problem:\n"):
        config.load(file)


def test_a_missing_file_is_a_problem_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"door\.toml: one problem:\n  the file cannot be read: No such file"):
        config.load(tmp_path / "door.toml")


def test_check_lists_the_problems_that_load_raises(tmp_path: Path) -> None:
    file = tmp_path / "intercom.toml"
    file.write_text("[call]\nvideo = 1\n")
    assert [str(problem) for problem in config.check(file)] == ["line 2: call.video: expected true or false, not 1"]


# Paths


def test_state_is_kept_where_systemd_says_then_where_the_desktop_says_then_at_home() -> None:
    environ = {"STATE_DIRECTORY": "/var/lib/intercom:/b", "XDG_STATE_HOME": "/x", "HOME": "/home/ann"}
    found = []
    for gone in ("", "STATE_DIRECTORY", "XDG_STATE_HOME"):
        environ.pop(gone, None)
        found.append(str(Config().state_path(environ)))
    assert found == ["/var/lib/intercom", "/x/intercom", "/home/ann/.local/state/intercom"]


def test_the_configured_state_directory_wins_over_the_environment() -> None:
    assert loads('state_dir = "/door"').state_path({"STATE_DIRECTORY": "/s"}) == Path("/door")


@pytest.mark.parametrize(
    ("written", "whole"),
    [
        ("/etc/token", "/etc/token"),
        ("~/token", "/home/ann/token"),
        ("$CREDENTIALS_DIRECTORY/token", "/run/credentials/token"),
        ("$UNSET/token", "$UNSET/token"),
        ("keys/token", "/etc/intercom/keys/token"),
    ],
)
def test_a_path_is_made_whole(written: str, whole: str) -> None:
    environ = {"HOME": "/home/ann", "CREDENTIALS_DIRECTORY": "/run/credentials"}
    read = loads(f'[account]\ncredential_file = "{written}"', Path("/etc/intercom"), environ)
    assert read.account.credential_file == whole


# The documentation


def test_the_example_changes_nothing() -> None:
    assert loads(config.example()) == Config()


def test_the_example_with_every_default_written_out_changes_nothing() -> None:
    written = uncommented(config.example())
    assert loads(written) == Config()
    for table, item in every_setting():
        assert f"\n{item.name} = {toml_value(item.default)}\n" in written, f"{table}.{item.name}"


def test_the_reference_page_is_what_the_definitions_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == config.reference_markdown(), "`make docs` writes it anew"


@pytest.mark.parametrize("item", [item for _, item in every_setting()], ids=lambda item: item.name)
def test_every_setting_says_what_it_is_in_a_sentence(item: Setting) -> None:
    assert item.doc.endswith(".")
    assert item.kind in (bool, int, float, str) or item.kind == tuple[str, ...]


def test_reading_a_configuration_needs_the_standard_library_alone() -> None:
    code = "import sys; before = set(sys.modules); import intercom.config; print(*set(sys.modules) - before)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert {name.partition(".")[0] for name in out.split()} - sys.stdlib_module_names == {"intercom"}


# Any text, any value


toml_values = st.recursive(
    st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.dates()
    | st.sampled_from(["/private/ann", "+15551234567", "*", "127.0.0.1:8480", "wss://localhost", "9", "~/x"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def as_toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(as_toml, value)) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml_value(key)} = {as_toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (bool, str)):
        return toml_value(value)
    return str(value)


@given(text=st.text())
def test_no_text_raises_anything_but_a_config_error(text: str) -> None:
    try:
        loads(text)
    except ConfigError as error:
        assert str(error)


@given(chosen=st.dictionaries(st.sampled_from(every_setting()), toml_values, max_size=8))
def test_no_value_is_let_in_that_its_setting_does_not_allow(chosen: dict[tuple[str, Setting], object]) -> None:
    text = "".join(
        f"{table + '.' if table else ''}{item.name} = {as_toml(value)}\n" for (table, item), value in chosen.items()
    )
    try:
        read = loads(text)
    except ConfigError as error:
        assert all(problem.message for problem in error.problems)
        return
    for table, item in every_setting():
        value: Any = getattr(getattr(read, table) if table else read, item.name)
        kind: Any = tuple if item.kind == tuple[str, ...] else item.kind
        assert type(value) is kind
        assert item.low is None or item.high is None or item.low <= value <= item.high


@given(
    before=st.lists(st.sampled_from(["", "# x", "[audio]", "[door]\t", "[camera]"]), unique=True), gap=st.integers(0, 9)
)
def test_a_problem_is_found_on_its_line_wherever_it_stands(before: list[str], gap: int) -> None:
    text = "\n".join([*before, "[call]", *[""] * gap, "ring = 1"])
    assert only_problem(text).line == len(before) + gap + 2


@given(data=st.binary(max_size=200))
def test_no_file_raises_anything_but_a_config_error(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    file = tmp_path_factory.mktemp("any") / "intercom.toml"
    file.write_bytes(data)
    assert isinstance(config.check(file), list)


def test_no_setting_can_be_changed_once_read() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().call.ring = "/private/elsewhere"  # type: ignore[misc]  # that is the point
