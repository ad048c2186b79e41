"""`intercom doctor`: examines everything that a door station needs, and says what is wrong and how to fix it.

It needs no running service, and disturbs none: no device is opened that the service may hold.
"""

from __future__ import annotations

import argparse
import ctypes.util
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import socket
import stat
import struct
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from intercom.cli.checks.api import programs
from intercom.cli.checks.certificate import end_of_certificate
from intercom.cli.checks.entrance import ALARM_KINDS, entrance
from intercom.cli.checks.finding import BAD, GOOD, WARNING, Finding
from intercom.cli.checks.mqtt import broker
from intercom.cli.checks.notify import notifications
from intercom.cli.checks.recorders import recorders
from intercom.cli.checks.viewers import house_viewers, viewers
from intercom.cli.checks.webhooks import webhooks
from intercom.cli.options import config_file
from intercom.cli.render import short_pulses
from intercom.cli.running_door import remote
from intercom.config import Config, Problem, check_and_read
from intercom.config.fields import secrets_in
from intercom.control.client import Client
from intercom.control.errors import ControlError, NotRunningError
from intercom.gpio_chip import GpioError, header_chip, is_pi
from intercom.media.native import module
from intercom.net import authority, connect, split_authority
from intercom.service import run_as_service

NETWORK_S = 3.0
FREE_BYTES_LEAST = 50 * 1024 * 1024
"""Least free space on a good disk; the state takes a tenth of it, and a full card makes much else fail."""
_STUN_REQUEST, _STUN_SUCCESS, _STUN_COOKIE = 0x0001, 0x0101, 0x2112A442
"""Message types and magic cookie of a STUN binding request (RFC 8489, sections 5 and 14)."""
_PORTS = {"turn": 3478, "turns": 5349, "wss": 443, "ws": 80, "https": 443, "http": 80}


def command(options: argparse.Namespace) -> int:
    """Print what is good and what is wrong, and how to mend it."""
    run_as_service.take_its_place(os.environ)
    file = config_file(options.config)
    run_as_service.become_its_user()
    findings = examine(file, remote.socket_of(options))
    if options.json:
        found = [finding._asdict() for finding in findings]
        remote.print_json(found)
        return max((int(finding["verdict"] == BAD) for finding in found), default=0)
    return report(findings, remote.say, remote.marks())


def examine(config_file: Path | None, control_socket: Path, config: Config | None = None) -> Iterator[Finding]:
    """Examine one thing after another, and yield each finding at once.

    The file's values count, with defaults for the wrong ones, unless there is another `config`.
    """
    said = Config()
    if config_file is not None:
        said, problems = check_and_read(config_file)
        yield _configuration(config_file, said, problems)
    config = config or said
    state_dir = config.state_path(os.environ)
    doc, found = _service(control_socket)
    yield from found
    yield _state_directory(state_dir)
    credential = config.credential_path(state_dir, os.environ)
    yield _credential(credential)
    yield _opus()
    if config.audio.echo_canceller == "webrtc":
        yield _linear_filter()
    if config.prompts.languages:
        yield _speech()
    yield from _sound(config)
    yield _camera(config)
    yield from _gpio(config)
    yield _clock()
    yield from _network(config, credential)
    if config.account.credential == "space":
        yield from _devices(credential)
        yield from viewers(config, house_viewers(credential))
    yield from notifications(config, doc)
    yield from recorders(config, doc)
    yield from broker(config, doc)
    yield from programs(config, doc, state_dir)
    yield from webhooks(config, doc)


def _configuration(file: Path, config: Config, problems: list[Problem]) -> Finding:
    if problems:
        return Finding("configuration", BAD, f"{file}: {problems[0]}", f"`intercom config check {file}` lists it all")
    if (secret := secrets_in(config)) and file.stat().st_mode & 0o004:
        told = f"{file} can be read by everyone on this machine, and holds {', '.join(secret)}"
        return Finding("configuration", BAD, told, f"`chgrp intercom-space {file}; chmod 640 {file}`, as root")
    return Finding("configuration", GOOD, f"{file} is good")


def _service(path: Path) -> tuple[dict[str, Any] | None, list[Finding]]:
    """Return the status of the running service, None if there is none, and what follows from it."""
    try:
        with Client(path) as client:
            doc: dict[str, Any] = client.ask("status")
    except NotRunningError:
        mend = "`systemctl start intercom`, or `intercom run`"
        return None, [Finding("service", WARNING, "is not running", mend)]
    except ControlError as error:
        return None, [Finding("service", BAD, str(error), "`intercom status` says more")]
    return doc, list(_findings_of(doc))


def _findings_of(doc: Mapping[str, Any]) -> Iterator[Finding]:
    if not doc["registered"]:
        yield Finding("service", BAD, "runs, but is not registered", "`intercom log` says why")
    elif broken := [fault["kind"] for fault in doc["faults"] if fault["kind"] not in ALARM_KINDS]:
        kinds = ", ".join(broken)
        yield Finding("service", BAD, f"runs, and something is broken: {kinds}", "`intercom log` says why")
    else:
        yield Finding("service", GOOD, "runs and is registered")
    yield from entrance(doc)
    if told := short_pulses(doc):
        yield Finding("button", WARNING, told, "a longer button_settle_ms, or a filter: docs/troubleshooting.md")


def _state_directory(directory: Path) -> Finding:
    if not directory.exists():
        return Finding("state", WARNING, f"{directory} is not there yet", "the first start makes it")
    if not os.access(directory, os.W_OK):
        return Finding("state", BAD, f"{directory} cannot be written by {_user()}", "run as the service's user")
    free = shutil.disk_usage(directory).free
    if free < FREE_BYTES_LEAST:
        return Finding("state", BAD, f"{directory} has {free // 1024**2} MB left", "make room on the card")
    return Finding("state", GOOD, f"{directory} is writable, {free // 1024**2} MB free")


def _credential(file: Path) -> Finding:
    mend = "`intercom space enrol FILE` writes one for the embedded space; account.credential_file names another"
    try:
        found = file.stat()
    except FileNotFoundError:
        return Finding("credential", BAD, f"{file} is not there", mend)
    except PermissionError:
        return Finding("credential", WARNING, f"{file} is not for {_user()} to see", "run as the service's user")
    mode = stat.S_IMODE(found.st_mode)
    # A file that another user hands over is readable through its group.
    if mode & (0o077 if found.st_uid == os.geteuid() else 0o037):
        return Finding("credential", BAD, f"{file} can be read by others (mode {mode:04o})", f"`chmod 600 {file}`")
    return Finding("credential", GOOD, f"{file} is there, and nobody else reads it")


def _linear_filter() -> Finding:
    why_not = module.why_not()
    if not why_not:
        return Finding("echo", GOOD, "the filter for visitors who speak while the house does is compiled")
    why_not = f"{why_not[0].lower()}{why_not[1:]}"
    if ctypes.util.find_library("speexdsp") is None:
        told = f"visitors are softened while the house speaks: no libspeexdsp, and {why_not}"
        return Finding("echo", WARNING, told, f"{module.MEND}; `apt install libspeexdsp1` is as good")
    return Finding("echo", WARNING, f"{module.EFFECT}: {why_not}", module.MEND)


def _speech() -> Finding:
    from intercom.media.prompts.prompts import PACKAGED
    from intercom.media.prompts.speech import PROGRAM, can_speak

    if can_speak():
        return Finding("speech", GOOD, f"{PROGRAM} is installed")
    told = "the door speaks its own sentences, and no reply that somebody types"
    told = told if PACKAGED.is_dir() else "the door cannot speak, and plays its tones instead"
    return Finding("speech", WARNING, f"{told}: no {PROGRAM}", f"`apt install {PROGRAM}`")


def _opus() -> Finding:
    if ctypes.util.find_library("opus") is None:
        return Finding("codec", BAD, "there is no libopus", "`apt install libopus0`")
    return Finding("codec", GOOD, "libopus is installed")


def _sound(config: Config) -> Iterator[Finding]:
    if config.audio.card == "simulated":
        yield Finding("sound", WARNING, "the configuration asks for the simulated card", 'audio.card = "auto"')
        return
    cards = _text("/proc/asound/cards")
    if not cards.strip() or "no soundcards" in cards:
        yield Finding(
            "sound", BAD, "there is no sound card", "plug in a USB speakerphone; `lsusb` shows whether it is seen"
        )
        return
    names = [line.partition(": ")[2] for line in cards.splitlines() if "]: " in line]
    yield Finding("sound", GOOD, "; ".join(names))
    yield _access("sound card", sorted(Path("/dev/snd").glob("pcm*")), "audio")


def _camera(config: Config) -> Finding:
    if config.camera.source in ("off", "pattern"):
        return Finding("camera", WARNING, f"camera.source is {config.camera.source}", 'camera.source = "auto"')
    if config.camera.source == "picamera2" and importlib.util.find_spec("picamera2") is None:
        return Finding("camera", BAD, "there is no picamera2", "`apt install python3-picamera2`")
    device = Path(config.camera.device)
    if device.exists():
        return _access("camera", [device], "video")
    if importlib.util.find_spec("picamera2") is not None:
        return Finding("camera", GOOD, "picamera2 is installed; `rpicam-hello --list-cameras` shows what it sees")
    return Finding("camera", WARNING, f"there is no camera at {device}", "plug one in, or set camera.device")


def _gpio(config: Config) -> Iterator[Finding]:
    if config.panel.pins == "simulated" or (config.panel.pins == "auto" and not is_pi()):
        yield Finding("pins", WARNING, "are simulated", "on a Raspberry Pi they are real by themselves")
        return
    if importlib.util.find_spec("lgpio") is None:
        yield Finding("pins", BAD, "there is no lgpio", "`apt install python3-lgpio`")
    try:
        yield Finding("pins", GOOD, f"are those of {header_chip()}, which is open to {_user()}")
    except GpioError as error:
        yield Finding("pins", BAD, str(error), "a restart of the machine may help; `dmesg` says more")


def _access(what: str, devices: list[Path], group: str) -> Finding:
    """Return whether this user may use the devices."""
    if not devices:
        return Finding(
            what, BAD, "its device files are not there", "look at `dmesg`; a restart of the machine may help"
        )
    closed = [device for device in devices if not os.access(device, os.R_OK | os.W_OK)]
    if closed:
        user = _user()
        return Finding(
            what, BAD, f"{closed[0]} is not open to {user}", f"`usermod -aG {group} {user}`, then log in anew"
        )
    return Finding(what, GOOD, f"{devices[0]} is open to {_user()}")


def _clock() -> Finding:
    if not Path("/run/systemd/timesync").exists():
        return Finding("clock", GOOD, "is left to whatever keeps it: systemd-timesyncd does not run here")
    if not Path("/run/systemd/timesync/synchronized").exists():
        return Finding(
            "clock", WARNING, "was not set from the network yet", "`timedatectl` says more; TLS needs the time"
        )
    return Finding("clock", GOOD, "is set from the network")


def _network(config: Config, credential: Path) -> Iterator[Finding]:
    relay, service = _hosts(config, credential)
    for name, url in (("relay", relay), ("service", service)):
        if url:
            yield _reaches(name, url)
    if urlsplit(service).scheme == "https":
        yield end_of_certificate(service, NETWORK_S)
    for url in (config.space.turn_url, _own_turn(config.space.turn_listen)):
        if url:
            yield _turn(url)


def _devices(credential: Path) -> Iterator[Finding]:
    """Yield a line for each phone and tablet of the house: its page, its socket, its push, its last receipt."""
    from intercom.cli.checks.push import push_devices

    devices = push_devices(credential) or []
    for device in devices:
        yield Finding("device", GOOD if device.rings else WARNING, device.line, next(device.missing(), ""))
    if devices and not any(device.push for device in devices):
        told = "no phone or tablet rings while its page is closed"
        yield Finding("push", WARNING, told, "on its page, tap Turn on beside Notifications, then Test")


def _own_turn(listen: str) -> str:
    """Return the URL of the space's own TURN server; empty when it has none, or no address for it yet."""
    from intercom.space.location import turn_address
    from intercom.space.names import interface_addresses

    address, port = turn_address(listen, interface_addresses()) if listen else (None, 0)
    return f"turn:{authority(address, port)}" if address else ""


def _hosts(config: Config, credential: Path) -> tuple[str, str]:
    """Return the sign-in's hosts, from the configuration or else the credential; empty if neither names them."""
    account, relay, service = config.account, "", ""
    try:
        text = credential.read_text().strip()
        if account.credential == "token-file":
            from intercom.signalwire.account.access_token import hosts_of

            relay, service = hosts_of(text).relay_url, hosts_of(text).api_url
        else:
            found = json.loads(text)
            relay, service = str(found["relay_url"]), str(found["api_url"])
    except (OSError, ValueError, KeyError, TypeError):
        pass  # another finding reports the error
    return account.relay_url or relay, account.api_url or service


def _user() -> str:
    return pwd.getpwuid(os.geteuid()).pw_name


def _reaches(name: str, url: str) -> Finding:
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 443)
    place = authority(host, port)
    try:
        connect((host, port), NETWORK_S).close()
    except OSError as error:
        return Finding(name, BAD, f"{place} is not reached: {error}", "is the network up? is the name right?")
    return Finding(name, GOOD, f"{place} is reached")


def _turn(url: str) -> Finding:
    """Check a TURN server with a STUN binding request, which every such server answers."""
    scheme, _, rest = url.partition(":")
    server, _, query = rest.partition("?")
    host, given = split_authority(server)
    port = given or _PORTS[scheme]
    place = authority(host, port)
    if scheme == "turns" or "tcp" in query:
        return _reaches("TURN", f"https://{place}")
    request = struct.pack("!HHI", _STUN_REQUEST, 0, _STUN_COOKIE) + secrets.token_bytes(12)
    try:
        family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(family, kind, number) as probe:
            probe.settimeout(NETWORK_S)
            probe.sendto(request, address)
            answer = probe.recv(2048)
    except OSError as error:
        return Finding("TURN", BAD, f"{place} does not answer: {error}", "is coturn running, UDP not blocked?")
    if len(answer) < 20 or struct.unpack("!H", answer[:2])[0] != _STUN_SUCCESS or answer[8:20] != request[8:]:
        return Finding("TURN", BAD, f"{place} does not speak STUN", "does space.turn_url name the right port?")
    return Finding("TURN", GOOD, f"{place} answers")


def _text(file: str) -> str:
    try:
        return Path(file).read_text(errors="replace")
    except OSError:
        return ""


def report(findings: Iterator[Finding], say: Callable[[str], None], paint: Mapping[str, str]) -> int:
    """Print each finding at once; return 0 when none is bad, else 1. `paint` holds the mark of each verdict."""
    worst = 0
    for finding in findings:
        say(f"{paint[finding.verdict]} {finding.what.ljust(13)} {finding.told}")
        if finding.mend and finding.verdict != GOOD:
            say(f"{' ' * 22}-> {finding.mend}")
        worst = max(worst, int(finding.verdict == BAD))
    return worst
