"""What holds for every test."""

from hypothesis import settings

# A deadline for one example would measure how busy the machine is, not what the code does.
settings.register_profile("intercom", deadline=None)
settings.load_profile("intercom")
