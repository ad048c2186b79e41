from __future__ import annotations

from pathlib import Path

import pytest

from intercom.devices import Finder

from .tree import Tree


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "machine")


@pytest.fixture
def finder(tree: Tree) -> Finder:
    return Finder(tree.names.get, tree.names.get, root=tree.root)
