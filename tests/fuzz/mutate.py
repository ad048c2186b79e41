"""Makes broken input of whole input: bytes, lines and JSON, each in the ways in which they are broken."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Sequence
from typing import Any

LONGEST = 200_000
"""Bytes of one input: past the limit of every reader, so that the limits are tried too."""
ODD_TEXTS = (
    "", " ", "\x00", "\x1b[2J", "\r\n", "\ud800", "\u202e", "⁴", "é" * 40, "x" * 5000, "-1", "1e999", "0x10", "+1",
    "99999999999999999999", "nan", "*", "..", "/", "%00", "'", '"', "[2001:db8::1]", "sip:\u0000@b", "a@b@c",
)  # fmt: skip
ODD_VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 2**31, 2**63, 2**70, 1.5, 1e308, [], {}, [[]], {"": None}, *ODD_TEXTS,
)  # fmt: skip
ODD_BYTES = (b"", b"\x00", b"\xff", b"\x7f\xff", b"\x80\x00\x00\x00", b"\xff\xff\xff\xff", b"\xc3\x28", b"\n", b"{")


class Mutator:
    """Breaks seeds, one or several ways at once.

    :param random: where chance comes from; the same state gives the same inputs.
    :param seeds: whole inputs.
    """

    def __init__(self, random: random.Random, seeds: Sequence[bytes]) -> None:
        self._random = random
        self._seeds = list(seeds)

    def bytes(self) -> bytes:
        """A seed with bytes changed, cut out, doubled or put in."""
        data = bytearray(self._random.choice(self._seeds))
        for _ in range(self._random.choice((1, 1, 2, 4, 16))):
            at = self._random.randrange(len(data) + 1)
            match self._random.randrange(6):
                case 0 if data:
                    data[at % len(data)] ^= 1 << self._random.randrange(8)
                case 1:
                    data[at:at] = self._random.choice(ODD_BYTES)
                case 2:
                    del data[at : at + self._random.randrange(1, 40)]
                case 3:
                    data[at:at] = data[at : at + self._random.randrange(1, 200)]
                case 4:
                    other = self._random.choice(self._seeds)
                    data[at:] = other[self._random.randrange(len(other) + 1) :]
                case _:
                    data[at : at + 4] = self._random.randbytes(4)
        return bytes(data[:LONGEST])

    def lines(self) -> bytes:
        """A seed whose lines are dropped, doubled, moved, mixed with another's, or changed within."""
        lines = self._random.choice(self._seeds).split(b"\n")
        for _ in range(self._random.choice((1, 1, 2, 3, 6))):
            at = self._random.randrange(len(lines))
            match self._random.randrange(6):
                case 0 if len(lines) > 1:
                    del lines[at]
                case 1:
                    lines[at:at] = [lines[at]] * self._random.choice((1, 1, 1, 200))
                case 2:
                    lines.insert(self._random.randrange(len(lines) + 1), lines[at])
                case 3:
                    lines[at] = self._random.choice(self._random.choice(self._seeds).split(b"\n"))
                case _:
                    lines[at] = self._word(lines[at])
        return b"\n".join(lines)[:LONGEST]

    def json(self) -> bytes:
        """A seed in JSON with values replaced, dropped, doubled or nested; now and then no JSON at all."""
        if self._random.randrange(8) == 0:
            return self.bytes()
        try:
            value = json.loads(self._random.choice(self._seeds))
        except ValueError:
            return self.bytes()
        try:
            for _ in range(self._random.choice((1, 1, 2, 4))):
                value = self._in_json(value)
            return json.dumps(value).encode("utf-8", "surrogatepass")[:LONGEST]
        except RecursionError:  # nested twice: Python copies and writes no deeper
            return self.bytes()

    def _word(self, line: bytes) -> bytes:
        """A line with one of its words, or a part of one, replaced."""
        for separator in self._random.sample((b" ", b":", b"=", b";", b","), 5):
            words = line.split(separator)
            if len(words) > 1:
                break
        at = self._random.randrange(len(words))
        words[at] = self._random.choice(ODD_TEXTS).encode("utf-8", "surrogatepass")
        return separator.join(words)

    def _in_json(self, value: Any, depth: int = 0) -> Any:
        if isinstance(value, dict) and value and self._random.randrange(depth + 8) < 7:
            key = self._random.choice(list(value))
            match self._random.randrange(8):
                case 0:
                    del value[key]
                case 1:
                    value[self._random.choice(ODD_TEXTS)] = copy.deepcopy(value[key])
                case _:
                    value[key] = self._in_json(value[key], depth + 1)
            return value
        if isinstance(value, list) and value and self._random.randrange(depth + 8) < 7:
            at = self._random.randrange(len(value))
            value[at] = self._in_json(value[at], depth + 1)
            return value
        if self._random.randrange(12) == 0:
            for _ in range(self._random.choice((1, 30, 200))):
                value = [value] if self._random.randrange(2) else {"x": value}
            return value
        return copy.deepcopy(self._random.choice(ODD_VALUES))
