"""The restricted keys in authorized_keys, with keys that ssh-keygen made."""

from __future__ import annotations

import base64
import stat
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.control.errors import KeyFileError
from intercom.control.ssh_keys import AuthorizedKeys, PublicKey, parse_public_key, read_key_file

PROGRAM = "/opt/intercom/bin/intercom"


def make_key(file: Path, *options: str, comment: str = "anna@laptop") -> Path:
    command = ["ssh-keygen", "-q", "-N", "", "-C", comment, "-f", str(file), *(options or ("-t", "ed25519"))]
    subprocess.run(command, check=True)
    return file.with_name(file.name + ".pub")


@pytest.fixture
def key(tmp_path: Path) -> PublicKey:
    return read_key_file(make_key(tmp_path / "key"))


@pytest.fixture
def keys(tmp_path: Path) -> AuthorizedKeys:
    return AuthorizedKeys(tmp_path / "home" / "authorized_keys")


@pytest.fixture(autouse=True)
def home(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()


def test_a_key_is_installed_with_its_role_and_no_other_right(keys: AuthorizedKeys, key: PublicKey) -> None:
    keys.add(key, "viewer", program=PROGRAM)
    assert keys.path.read_text() == (
        f'restrict,pty,command="{PROGRAM} ssh-gate viewer --name anna@laptop" ssh-ed25519 {key.blob} anna@laptop\n'
    )


def test_the_file_is_its_owner_s_alone(keys: AuthorizedKeys, key: PublicKey) -> None:
    keys.add(key, "viewer", program=PROGRAM)
    assert stat.S_IMODE(keys.path.stat().st_mode) == 0o600


def test_fingerprints_are_those_of_ssh_keygen(key: PublicKey, tmp_path: Path) -> None:
    out = subprocess.run(["ssh-keygen", "-lf", str(tmp_path / "key.pub")], capture_output=True, text=True, check=True)
    assert key.fingerprint == out.stdout.split()[1]


def blob(*parts: bytes) -> str:
    """The data of a key of these parts (RFC 4253, section 6.6)."""
    return base64.b64encode(b"".join(len(part).to_bytes(4, "big") + part for part in parts)).decode()


def test_a_key_in_a_token_of_its_owner_is_taken(key: PublicKey) -> None:
    kind = "sk-ssh-ed25519@openssh.com"  # as ssh-keygen makes it, once the token at hand is touched
    point = base64.b64decode(key.blob)[-32:]
    assert parse_public_key(f"{kind} {blob(kind.encode(), point, b'ssh:')} anna").type == kind


@pytest.mark.parametrize("options", [("-t", "rsa", "-b", "2048"), ("-t", "ecdsa", "-b", "521")])
def test_other_kinds_of_key_are_taken(options: tuple[str, ...], tmp_path: Path) -> None:
    assert read_key_file(make_key(tmp_path / "other", *options)).name == "anna@laptop"


def test_a_weak_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="1024 bits is too weak"):
        read_key_file(make_key(tmp_path / "weak", "-t", "rsa", "-b", "1024"))


def test_the_private_key_is_not_touched(tmp_path: Path) -> None:
    make_key(tmp_path / "other")
    with pytest.raises(KeyFileError, match=r"ends in \.pub"):
        read_key_file(tmp_path / "other")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        'command="sh" ssh-ed25519 AAAA x',
        "ssh-ed25519 AAAA x",
        "ssh-ed25519 !!!! x",
        "ssh-dss AAAAB3NzaC1kc3M= x",
        "ssh-ed25519",
        "a\nb",
    ],
)
def test_what_is_no_public_key_is_refused_in_one_sentence(text: str) -> None:
    with pytest.raises(KeyFileError) as caught:
        parse_public_key(text)
    assert "\n" not in str(caught.value)


def test_a_key_cut_short_is_noticed(key: PublicKey) -> None:
    with pytest.raises(KeyFileError, match="damaged"):
        parse_public_key(f"{key.type} {key.blob[:-8]} anna")


def test_a_key_of_an_impossible_length_is_noticed() -> None:
    with pytest.raises(KeyFileError, match="damaged"):
        parse_public_key(f"ssh-ed25519 {blob(b'ssh-ed25519', b'short')} anna")


def test_a_key_of_another_type_than_it_says_is_noticed(key: PublicKey) -> None:
    with pytest.raises(KeyFileError, match="damaged"):
        parse_public_key(f"ssh-rsa {key.blob} anna")


@given(st.text() | st.text().map("ssh-ed25519 {} x".format))
def test_any_text_is_a_key_or_refused_in_one_sentence(text: str) -> None:
    try:
        parse_public_key(text)
    except KeyFileError as refused:
        assert "\n" not in str(refused)


def test_a_hostile_comment_becomes_a_plain_name(keys: AuthorizedKeys, key: PublicKey) -> None:
    hostile = parse_public_key(f'{key.type} {key.blob} x" ,pty $(id)`id`\\ \t;')
    assert hostile.name == "x-pty-id-id"
    keys.add(hostile, "viewer", program=PROGRAM)
    assert keys.path.read_text().count('"') == 2


def test_a_key_added_again_gets_the_new_role(keys: AuthorizedKeys, key: PublicKey) -> None:
    keys.add(key, "viewer", program=PROGRAM)
    keys.add(key, "operator", program=PROGRAM)
    assert [(entry.key, entry.role) for entry in keys.installed()] == [(key, "operator")]


def test_other_lines_stay_as_they_are(keys: AuthorizedKeys, key: PublicKey) -> None:
    other = '# mine\n\nssh-ed25519 AAAAother me\nfrom="10.0.0.0/8" ssh-rsa AAAAB3 x\n'
    keys.path.write_text(other)
    keys.add(key, "viewer", program=PROGRAM)
    keys.remove(key.name)
    assert keys.path.read_text() == other


def test_a_key_that_has_a_shell_is_not_thought_restricted(keys: AuthorizedKeys, key: PublicKey) -> None:
    keys.path.write_text(f"{key.type} {key.blob} me\n")
    with pytest.raises(KeyFileError, match="other rights"):
        keys.add(key, "viewer", program=PROGRAM)


def test_a_key_is_removed_by_its_fingerprint(keys: AuthorizedKeys, key: PublicKey) -> None:
    keys.add(key, "viewer", program=PROGRAM)
    keys.remove(key.fingerprint)
    assert keys.installed() == []


def test_an_unknown_key_cannot_be_removed(keys: AuthorizedKeys) -> None:
    with pytest.raises(KeyFileError, match="no key has the name"):
        keys.remove("nobody")


def test_a_program_at_an_odd_path_is_not_written(keys: AuthorizedKeys, key: PublicKey) -> None:
    with pytest.raises(KeyFileError, match="plainer path"):
        keys.add(key, "viewer", program='/opt/a"b/intercom')
