"""What holds for every test."""

import signal

from hypothesis import settings

# A deadline for one example would measure how busy the machine is, not what the code does.
settings.register_profile("intercom", deadline=None)
settings.load_profile("intercom")

# A script's background job ignores Ctrl-C, and so would every program that a test starts in order to interrupt it.
signal.signal(signal.SIGINT, signal.default_int_handler)
