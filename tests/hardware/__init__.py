"""The bench with a real kernel: user-mode Linux with ALSA, USB, GPIO and V4L2 (see README.md)."""
