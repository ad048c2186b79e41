"""`intercom space`: serves the embedded space and manages its members. All but serving works beside a running space."""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from intercom.cli import render as text
from intercom.cli.options import Place, Run, with_config
from intercom.cli.running_door.remote import OK, TROUBLE, complain, local, print_json, say, wrote
from intercom.service import run_as_service

if TYPE_CHECKING:
    from intercom.cli.checks.reach import Reach
    from intercom.config import Config
    from intercom.space import Invitation
    from intercom.space.store.records import Device

Act = Callable[[argparse.Namespace, "Config", Path], int]


def _guarded(act: Act, place: Place | None = run_as_service.take_the_space_s_place, *, as_its_user: bool = True) -> Run:
    """Return a command that acts on a space's state and reports a failure in one sentence."""

    def run(options: argparse.Namespace, config: Config) -> int:
        from intercom.space import SpaceError

        given: Path | None = options.state_dir
        state_dir = given or config.state_path(os.environ)
        if as_its_user:
            run_as_service.become_owner_of(state_dir)
        try:
            return act(options, config, state_dir)
        except SpaceError as error:
            complain(str(error))
        except OSError as error:
            complain(f"{error.strerror}: {error.filename}")
        return TROUBLE

    return with_config(run, place)


def _serve(_options: argparse.Namespace, config: Config, state_dir: Path) -> int:
    from intercom.cli.run import run_space

    return run_space(config, state_dir)


def _pair(options: argparse.Namespace, _config: Config, state_dir: Path) -> int:
    from intercom.space import Membership

    with Membership(state_dir) as members:
        print_invitation(members.invite(name=options.name))
        if members.trust_url:
            say(f"If it warns of the certificate, it first learns to trust the house at {members.trust_url}")
    return OK


def _devices(options: argparse.Namespace, _config: Config, state_dir: Path) -> int:
    from dataclasses import asdict

    from intercom.cli.checks.reach import HEAD
    from intercom.space import Membership

    with Membership(state_dir) as members:
        devices = members.devices()
    if options.json:
        print_json([asdict(device) for device in devices])
    elif devices:
        rows = [
            (d.name, d.kind, d.address, local(d.paired_at)[:16], d.invited_by or "you", *_reach(d).cells)
            for d in devices
        ]
        say(text.table(("NAME", "KIND", "ADDRESS", "PAIRED", "LET IN BY", *HEAD), rows))
        for device in devices:
            for what in _reach(device).missing():
                say(f"{text.printable(device.name)}: {what}.")
    else:
        say("Nobody can sign in yet; `intercom space pair` invites a phone or tablet.")
    return OK


def _reach(device: Device) -> Reach:
    """Return how far a device is reached; a door is rung by nobody."""
    from intercom.cli.checks.reach import Reach

    return Reach(
        name=device.name,
        door=device.kind == "door",
        seen_on=device.seen_on,
        registered_on=device.registered_on,
        push=device.push,
        shown_at=device.shown_at,
        trouble=device.push_trouble,
        rang_at=device.rang_at,
        woken_at=device.woken_at,
    )


def _remove(options: argparse.Namespace, _config: Config, state_dir: Path) -> int:
    from intercom.space import Membership

    with Membership(state_dir) as members:
        gone = members.remove(options.who, even_a_door=options.force)
        invited = members.invited_by(gone)
    say(f"{text.printable(gone.name)} ({gone.address}) cannot sign in any more; its calls end within a second.")
    for device in invited:
        say(f"It had let in {text.printable(device.name)} ({device.address}): remove that too if you do not know it.")
    return OK


def _trust(options: argparse.Namespace, config: Config, state_dir: Path) -> int:
    from intercom.space import devices_learn_trust

    found = devices_learn_trust(state_dir, config.space, anew=options.new)
    _print_to_scan(found.url)
    say("Open this on each phone, tablet and computer, and follow the pictures; it says by itself when it is done.")
    say(f"It hands out the certificate {found.name}. If others use your network, compare its SHA-256 fingerprint:")
    say(f"  {found.fingerprint}")
    if found.changed:
        say("The space shows another certificate from now on: a device that knew the one before has to do this too.")
    return OK


def _viewer_add(options: argparse.Namespace, _config: Config, state_dir: Path) -> int:
    from intercom.space import Membership

    with Membership(state_dir) as members:
        token = members.viewers.add(options.name, talks=options.talk)
        base = members.url or "https://HOST:PORT"
        doors = [device.reference for device in members.devices() if device.kind == "door"] or ["door"]
    scheme, _, rest = base.partition("://")
    socket = "wss" if scheme == "https" else "ws"
    say(f"The token of {options.name}, which is not shown again:")
    say(f"  {token}")
    for door in doors:
        say(f"go2rtc, Frigate, Home Assistant:  webrtc:{socket}://{options.name}:{token}@{rest}/api/ws?src={door}")
        say(f"WHEP (the token as Bearer):       {base}/whep/{door}")
    say("The door shows itself only if camera.look is on there" + (_TALKS if options.talk else "") + ".")
    return OK


def _viewer_list(options: argparse.Namespace, _config: Config, state_dir: Path) -> int:
    from dataclasses import asdict

    from intercom.space import Membership

    with Membership(state_dir) as members:
        viewers = members.viewers.all()
    if options.json:
        print_json([asdict(viewer) for viewer in viewers])
    elif viewers:
        rows = [(v.name, "yes" if v.talks else "no", local(v.added_at)[:16], v.seen_on or "never") for v in viewers]
        say(text.table(("NAME", "TALKS", "ADDED", "LAST SEEN"), rows))
    else:
        say("Nobody watches with a token; `intercom space viewer add` lets a recorder or a dashboard.")
    return OK


def _viewer_remove(options: argparse.Namespace, _config: Config, state_dir: Path) -> int:
    from intercom.space import Membership

    with Membership(state_dir) as members:
        members.viewers.remove(options.name)
    say(f"{options.name} sees no door any more; its views end within a second.")
    return OK


_TALKS = ", and is heard and hears only if call.viewers_talk is"


def _enrol(options: argparse.Namespace, config: Config, state_dir: Path) -> int:
    from intercom.space import Space
    from intercom.space.auth.credential import read_credential

    found = read_credential(options.file)
    with run_as_service.as_owner_of(state_dir):
        space = Space(config.space, state_dir)
        credential = space.credential_of(options.reference, found, display_name=options.name)
        space.store.close()
    if not wrote(options.file, credential.encoded):
        return TROUBLE
    say(f"{options.file}: the credential of /private/{options.reference}")
    return OK


serve = _guarded(_serve, None, as_its_user=False)
pair = _guarded(_pair)
devices = _guarded(_devices)
remove = _guarded(_remove)
trust = _guarded(_trust)
enrol = _guarded(_enrol, as_its_user=False)
viewer_add = _guarded(_viewer_add)
viewer_list = _guarded(_viewer_list)
viewer_remove = _guarded(_viewer_remove)


def print_invitation(invitation: Invitation) -> None:
    """Print the link, also as a QR code, and the code with which a phone or tablet joins."""
    _print_to_scan(invitation.url)
    page = invitation.url.partition("#")[0]
    until = time.strftime("%H:%M", time.localtime(invitation.expires_at))
    say(f"Or open {page} there and type the code  {invitation.code}")
    say(f"It lets one device in, until {until}.")


def _print_to_scan(url: str) -> None:
    import segno

    say(url)
    segno.make(url, error="l").terminal(compact=True)
