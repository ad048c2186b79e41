"""`intercom audio test`: checks the box's sound, and says which levels to turn up or down."""

from __future__ import annotations

import argparse
import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

from intercom.cli import render as text
from intercom.cli.options import with_config
from intercom.cli.running_door.remote import OK, TROUBLE, colour, complain, print_json, say
from intercom.service import run_as_service

if TYPE_CHECKING:
    from intercom.config import Config
    from intercom.media.sound.room_check import Findings

BUSY = 75
"""Exit status for a busy card, EX_TEMPFAIL of sysexits.h: the same command works once the card is free."""


def _test(options: argparse.Namespace, config: Config) -> int:
    from intercom.door.devices import cards_now
    from intercom.media.cards.hardware_mixer import open_mixer
    from intercom.media.cards.simulated import SimulatedCards
    from intercom.media.errors import CardBusyError, CardError
    from intercom.media.sound.levels import LEVELS_FILE, LevelStore, configured
    from intercom.media.sound.rehearsal import rehearse
    from intercom.media.sound.room_check import examine, probe

    state_dir = options.state_dir or config.state_path(os.environ)
    run_as_service.become_owner_of(state_dir)
    store = LevelStore(state_dir / LEVELS_FILE)
    try:
        cards = cards_now(config, state_dir)
        levels = store.load(cards.description, configured(config.audio))
        mixer = open_mixer(cards)
        mixer.freeze()
        played = probe(mixer.set_db("playback", levels.speaker_db))
        microphone_db = mixer.set_db("capture", levels.microphone_db)
        if not options.json and sys.stdout.isatty():
            say("A second of silence, then noise from the speaker: please do not speak meanwhile.")
        heard, breaks = rehearse(cards, played)
    except CardBusyError:
        complain("the sound card is busy: stop the door station (`sudo systemctl stop intercom`), then test again")
        return BUSY
    except CardError as error:
        complain(str(error))
        return TROUBLE
    found = examine(played, heard, levels, microphone_db=microphone_db, breaks=breaks)
    simulated = isinstance(cards, SimulatedCards)
    stored = options.store and not simulated
    if stored:
        try:
            state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            store.save(cards.description, found.levels)
        except OSError as error:
            complain(f"the levels cannot be kept: {error}")
            return TROUBLE
    if options.json:
        print_json({"card": cards.description, "simulated": simulated, **asdict(found)})
    else:
        say(_report(cards.description, found, simulated=simulated, stored=stored))
    return OK if simulated or not found.advice else TROUBLE


test = with_config(_test, run_as_service.take_its_place)


def _report(card: str, found: Findings, *, simulated: bool, stored: bool) -> str:
    from intercom.media.sound.room_check import NOISE_MOST_DB

    page = text.Page(colour=colour())
    page.row("card", card)
    page.row("played", f"{found.played_db:.0f} dB full scale, speaker at {found.levels_tried.speaker_db:+g} dB")
    if simulated:
        page.row("advice", "none: a simulated card has no air between its speaker and its microphone")
        return str(page)
    page.row("heard", f"{found.heard_db:.0f} dB full scale, microphone at {found.levels_tried.microphone_db:+g} dB")
    page.row("noise", f"{found.noise_floor_db:.0f} dB full scale before that; {NOISE_MOST_DB:.0f} or less is good")
    clipping = f"{found.clipped_percent:.2f} % of what was heard is cut off" if found.clipped_percent else "none"
    page.row("clipping", clipping)
    if found.echo_level_db is None or found.delay_ms is None:
        page.row("echo", "none heard")
    else:
        than = f"{abs(found.echo_level_db):.0f} dB {'louder' if found.echo_level_db > 0 else 'softer'}"
        page.row("echo", f"a voice comes back {than}, {found.delay_ms:.0f} ms later; softer is good")
    for sentence in found.advice:
        page.row("advice", sentence, text.YELLOW)
    if not found.advice:
        page.row("advice", "none: leave it as it is", text.GREEN)
    elif found.levels != found.levels_tried:
        wanted = found.levels
        speaker, microphone = f"speaker {wanted.speaker_db:g} dB", f"microphone {wanted.microphone_db:g} dB"
        page.row("", f"recommended: {speaker}, {microphone}; " + ("kept" if stored else "`--store` keeps them"))
    return str(page)
