"""A table of the configuration is a value: it is compared, shown and replaced, and never changed."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, fields, replace

import pytest

from intercom.config import Config, LogConfig


def test_tables_with_the_same_settings_are_the_same() -> None:
    assert LogConfig(level="debug") == LogConfig(level="debug")
    assert LogConfig() == LogConfig(level="info")
    assert LogConfig() != LogConfig(level="debug")
    assert {Config(), Config(log=LogConfig())} == {Config()}
    assert Config().log != Config().metrics


def test_another_table_is_made_with_other_settings() -> None:
    quiet = replace(Config(), log=LogConfig(level="error"))
    assert quiet.log.level == "error"
    assert replace(quiet, log=LogConfig()) == Config()
    assert [field.name for field in fields(quiet.log)] == ["level"]


def test_no_setting_changes_once_it_is_read() -> None:
    log = LogConfig()
    with pytest.raises(FrozenInstanceError, match="level"):
        log.level = "debug"  # type: ignore[misc]  # that is what is tried
    with pytest.raises(FrozenInstanceError, match="level"):
        del log.level
    assert log == LogConfig()


def test_a_setting_that_is_none_is_named() -> None:
    with pytest.raises(TypeError, match="LogConfig has no field colour"):
        LogConfig(colour="red")  # type: ignore[call-arg]  # the same


def test_a_table_shows_what_it_holds() -> None:
    assert repr(LogConfig(level="error")) == "LogConfig(level='error')"
