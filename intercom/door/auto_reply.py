"""Whether the door replies to a visitor by itself: `prompts.auto_reply_s` lets it, and a command switches it."""

from __future__ import annotations

from pathlib import Path

from intercom import atomic_file
from intercom.config import PromptsConfig

OFF_FILE = "auto-reply-off"
"""Name of a file in the state directory; while it exists, the door does not reply by itself."""


class AutoReply:
    """The switch, kept over restarts. Any thread may use it."""

    def __init__(self, prompts: PromptsConfig, state_dir: Path) -> None:
        self._is_set_up = bool(prompts.languages and prompts.auto_reply_s)
        self._file = state_dir / OFF_FILE
        self._off = self._file.exists()

    @property
    def is_on(self) -> bool | None:
        """Whether the door replies by itself; None where the configuration never lets it."""
        return not self._off if self._is_set_up else None

    def set(self, *, on: bool) -> None:
        """Switch it, also for after a restart; it holds even if storing it fails, which raises OSError."""
        self._off = not on
        if on:
            self._file.unlink(missing_ok=True)
        else:
            atomic_file.replace(self._file, b"")
