"""Descriptors for fields of a `Value`: the present value and its stream (`foo` and `foo_stream`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Protocol, TypeVar, overload

from reactivex import Observable
from reactivex import operators as ops

from intercom.signalwire.observable import Value

S = TypeVar("S")
T = TypeVar("T")


class Stateful(Protocol[S]):
    """An object that keeps its state in one `Value`."""

    _state: Value[S]


class Now(Generic[S, T]):
    """A field's present value."""

    def __init__(self, read: Callable[[S], T]) -> None:
        self._read = read

    @overload
    def __get__(self, owner: None, kind: type[Any]) -> Now[S, T]: ...
    @overload
    def __get__(self, owner: Stateful[S], kind: type[Any]) -> T: ...
    def __get__(self, owner: Stateful[S] | None, kind: type[Any]) -> Now[S, T] | T:
        return self if owner is None else self._read(owner._state.value)


class Stream(Generic[S, T]):
    """A field's value, now and at each change."""

    def __init__(self, read: Callable[[S], T]) -> None:
        self._read = read

    @overload
    def __get__(self, owner: None, kind: type[Any]) -> Stream[S, T]: ...
    @overload
    def __get__(self, owner: Stateful[S], kind: type[Any]) -> Observable[T]: ...
    def __get__(self, owner: Stateful[S] | None, kind: type[Any]) -> Stream[S, T] | Observable[T]:
        if owner is None:
            return self
        values: Observable[T] = owner._state.stream.pipe(ops.map(self._read))
        return values.pipe(ops.distinct_until_changed())
