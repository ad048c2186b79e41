"""What a library imports for others is loaded when somebody asks for it, and then whole."""

from __future__ import annotations

import importlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from intercom.later import import_without

LIMIT_S = 60
NUMPY = """
import sys
from intercom.service import memory
memory.stay_small()
import numpy as np
print([name for name in ("numpy.ma.core", "numpy.polynomial.polynomial", "numpy.random.mtrand") if name in sys.modules])
waiting = np.random
from numpy.polynomial.polynomial import polyval
from numpy import ma, random
assert polyval(2, [1, 1, 1]) == 7
assert np.random.default_rng(1).integers(1) == 0 and random.default_rng is np.random.default_rng
assert isinstance(np.ma.masked_equal([1, 2], 1), sys.modules["numpy.ma.core"].MaskedArray) and np.ma.count is ma.count
assert waiting.default_rng is np.random.default_rng
assert np.char.add("a", "b") == "ab"
assert np.random.__name__ == "numpy.random" and type(np.random) is type(np)
"""


@pytest.fixture
def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A library that imports its attic, which is slow to open, and in which there is a trunk."""
    package = tmp_path / "house"
    (package / "attic").mkdir(parents=True)
    (package / "__init__.py").write_text(
        "import threading\nopened, may_go_on = [], threading.Event()\nfrom . import attic\n"
    )
    (package / "attic" / "__init__.py").write_text(
        "import house\nhouse.opened.append(1)\nhouse.may_go_on.wait(60)\nfrom .trunk import hat\n"
    )
    (package / "attic" / "trunk.py").write_text("from . import opened_by\nhat = object()\n")
    (package / "attic" / "opened_by.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    yield package
    for name in [name for name in sys.modules if name.partition(".")[0] == "house"]:
        del sys.modules[name]


def loaded(name: str) -> Any:
    return importlib.import_module(name)


def test_a_part_waits_until_somebody_asks_and_is_itself_from_then_on(house: Path) -> None:
    import_without("house", "house.attic")
    library = loaded("house")
    assert library.opened == []
    library.may_go_on.set()
    waiting = library.attic
    assert waiting.hat is waiting.trunk.hat
    assert library.attic is loaded("house.attic") is not waiting
    assert library.opened == [1]


def test_threads_that_ask_at_once_all_see_the_whole_part(house: Path) -> None:
    import_without("house", "house.attic")
    library = loaded("house")
    waiting = library.attic
    asking = threading.Barrier(4)

    def ask() -> object:
        asking.wait(LIMIT_S)
        return waiting.hat

    with ThreadPoolExecutor(4) as threads:
        answers = [threads.submit(ask) for _ in range(3)]
        asking.wait(LIMIT_S)
        library.may_go_on.set()
        hats = {answer.result(LIMIT_S) for answer in answers}
    assert hats == {loaded("house.attic.trunk").hat}
    assert library.opened == [1]


def test_a_module_inside_a_part_that_waits_is_imported_once_and_after_it(house: Path) -> None:
    import_without("house", "house.attic")
    library = loaded("house")
    waiting = library.attic
    library.may_go_on.set()
    trunk = loaded("house.attic.trunk")
    assert library.opened == [1]
    assert waiting.hat is library.attic.hat is trunk.hat


def test_a_part_of_another_library_waits_too(house: Path, tmp_path: Path) -> None:
    (house / "__init__.py").write_text("opened = []\n")
    (tmp_path / "street.py").write_text("import house.attic\nlook = lambda: house.attic.hat\n")
    try:
        import_without("street", "house.attic")
        library = loaded("house")
        assert library.opened == []
        (house / "attic" / "__init__.py").write_text("hat = 1\n")
        assert sys.modules["street"].look() == 1
    finally:
        del sys.modules["street"]


def test_what_is_loaded_already_is_left_alone(house: Path) -> None:
    (house / "attic" / "__init__.py").write_text("hat = 1\n")
    attic = loaded("house.attic")
    import_without("house", "house.attic")
    assert loaded("house.attic") is loaded("house").attic is attic


def test_a_library_that_is_not_there_is_missed_and_nothing_waits(house: Path) -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_library"):
        import_without("no_such_library", "house.attic")
    assert "house.attic" not in sys.modules


def test_a_name_that_the_library_imports_from_a_part_waits_too(house: Path) -> None:
    (house / "__init__.py").write_text(
        "opened = []\nfrom .attic import Trunk, find\ndef search(where=find): return where('hat')\n"
    )
    (house / "attic" / "__init__.py").write_text(
        "import house\nhouse.opened.append(1)\nclass Trunk:\n    size = 3\ndef find(what): return what + '!'\n"
    )
    import_without("house", "house.attic")
    library = loaded("house")
    assert library.opened == []
    assert library.search() == "hat!"
    assert library.Trunk.size == 3
    chest = type("Chest", (loaded("house.attic").Trunk,), {})
    assert issubclass(chest, library.Trunk) and isinstance(chest(), library.Trunk)
    assert library.opened == [1]


def test_a_class_may_derive_from_one_that_waits(house: Path) -> None:
    (house / "__init__.py").write_text("from .attic import Trunk\nclass Chest(Trunk): pass\n")
    (house / "attic" / "__init__.py").write_text("class Trunk: pass\n")
    import_without("house", "house.attic")
    assert loaded("house").Chest.__bases__ == (loaded("house.attic").Trunk,)


def test_another_thread_may_import_a_part_of_one_that_waits_while_the_library_is_imported(house: Path) -> None:
    (house / "__init__.py").write_text(
        "import threading\nfrom . import attic\nbegun, may_go_on = threading.Event(), threading.Event()\n"
    )
    (house.parent / "street.py").write_text("import house\nhouse.begun.set()\nhouse.may_go_on.wait(60)\n")
    (house / "attic" / "__init__.py").write_text("size = 3\n")
    (house / "attic" / "trunk.py").write_text("hat = 1\n")
    library = loaded("house")
    for name in ("house.attic", "street"):
        sys.modules.pop(name, None)
    try:
        with ThreadPoolExecutor(1) as threads:
            importing = threads.submit(import_without, "street", "house.attic")
            assert library.begun.wait(LIMIT_S)
            try:
                assert loaded("house.attic.trunk").hat == 1
            finally:
                library.may_go_on.set()
            importing.result(LIMIT_S)
        assert loaded("house.attic").size == 3
    finally:
        sys.modules.pop("street", None)


def test_numpy_works_as_ever_and_the_door_has_loaded_what_it_uses() -> None:
    done = subprocess.run([sys.executable, "-c", NUMPY], capture_output=True, text=True, timeout=LIMIT_S, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[]\n"
