"""Tests that run in a guest (see ../conftest.py): here the kernel, its devices and root are theirs alone."""
