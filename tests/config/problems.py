"""What a configuration is told that cannot be used."""

import pytest

from intercom.config import ConfigError, Problem, loads


def problems_of(text: str) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        loads(text)
    return caught.value.problems


def only_problem(text: str) -> Problem:
    (problem,) = problems_of(text)
    return problem
