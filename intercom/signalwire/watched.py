"""Descriptors that show what an object's parts hold: a field of its `Value`, that field's stream, or anything else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Never, Protocol, TypeVar, overload

from reactivex import Observable

from intercom.signalwire.observable import Value, changes

Owner = TypeVar("Owner")
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
        return self if owner is None else changes(owner._state.stream, self._read)


class Shown(Generic[Owner, T]):
    """A read-only attribute of a facade, as one line: `read` takes it from one of the owner's parts."""

    def __init__(self, read: Callable[[Owner], T]) -> None:
        self._read = read

    @overload
    def __get__(self, owner: None, kind: type[Any]) -> Shown[Owner, T]: ...
    @overload
    def __get__(self, owner: Owner, kind: type[Any]) -> T: ...
    def __get__(self, owner: Owner | None, kind: type[Any]) -> Shown[Owner, T] | T:
        return self if owner is None else self._read(owner)

    def __set__(self, owner: Owner, value: Never) -> None:
        raise AttributeError("This attribute is read-only.")
