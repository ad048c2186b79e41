"""What holds for every test."""

import os
import signal
import sysconfig
from collections.abc import Iterator

import pytest

# A script's background job ignores Ctrl-C, and so would every program that a test starts in order to interrupt it.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The environment's own programs, such as npm, are found without its being activated.
os.environ["PATH"] += os.pathsep + sysconfig.get_path("scripts")


def pytest_configure(config: pytest.Config) -> None:
    """Set hypothesis, where it is used: it takes a second to load, in a guest for each file."""
    if config.pluginmanager.is_blocked("hypothesispytest"):
        return
    from hypothesis import HealthCheck, settings

    # A deadline for one example would measure how busy the machine is, not what the code does; so would a limit of the
    # time in which the first examples are drawn.
    settings.register_profile("intercom", deadline=None, suppress_health_check=[HealthCheck.too_slow])
    settings.load_profile("intercom")


@pytest.fixture(autouse=True)
def same_priority() -> Iterator[None]:
    """Check that a test leaves the priority of this process alone: all later ones would be late on a busy machine."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    yield
    assert os.getpriority(os.PRIO_PROCESS, 0) == before
