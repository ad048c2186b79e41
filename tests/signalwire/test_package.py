"""The package's names are loaded when they are first used: each of them has to be where the package says."""

from __future__ import annotations

import intercom.signalwire


def test_every_name_of_the_package_is_found() -> None:
    missing = [name for name in dir(intercom.signalwire) if not hasattr(intercom.signalwire, name)]
    assert not missing


def test_a_name_that_is_not_there_is_refused_as_python_does() -> None:
    assert not hasattr(intercom.signalwire, "Signalwire")
