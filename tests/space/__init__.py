"""Tests of the embedded space."""
