"""Build a door's messages from its parts."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from intercom.config import Config
from intercom.door.account import credentials_of
from intercom.door.machine import Fault, Machine
from intercom.door.messages.delivery import Delivery
from intercom.door.messages.messages import LONGEST_S, MessageFeedback, Messages, Taking
from intercom.facts import Fact
from intercom.media.camera.shared import Camera
from intercom.media.sound.engine import AudioEngine
from intercom.message_files import MessageFiles

DIRECTORY = "messages"
"""Name of the directory of messages in a state directory."""
MEGABYTE = 1_000_000
_DEAF_OR_DUMB = {Fault.MICROPHONE, Fault.SPEAKER, Fault.AUDIO_THREAD}
"""Faults with which a visitor cannot be asked, or heard."""


def messages_of(
    config: Config,
    state_dir: Path,
    *,
    engine: AudioEngine,
    camera: Camera | None,
    feedback: MessageFeedback,
    machine: Machine,
    tell: Callable[[Fact], object],
    on_defect: Callable[[Exception], object],
) -> Messages:
    """Return the messages of this door."""
    history = config.history

    def record() -> Taking:
        from intercom.media.recording.recorder import Recording  # it loads the codec: with the first message

        return Recording(engine, camera if config.call.video else None, longest_s=LONGEST_S)

    def why_not() -> str:
        if _DEAF_OR_DUMB & machine.faults:
            return "the sound does not work"
        return "the sound is muted" if engine.speaker_muted or engine.microphone_muted else ""

    most_bytes = history.messages_mb * MEGABYTE
    files = MessageFiles(state_dir / DIRECTORY, keep_days=history.keep_days, most_bytes=most_bytes)
    return Messages(
        files,
        Delivery(files, credentials_of(config, state_dir)),
        wanted=history.messages,
        record=record,
        why_not=why_not,
        feedback=feedback,
        tell=tell,
        on_defect=on_defect,
    )
