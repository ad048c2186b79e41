"""All sessions of the space, found by their channel and by their subscriber without a look at the others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set, ValuesView

from intercom.space.switch.sessions.sessions import Session


class AllSessions(Mapping[str, Session]):
    """The sessions by their channels."""

    def __init__(self) -> None:
        self._by_channel: dict[str, Session] = {}
        self._by_subscriber: dict[str, dict[Session, None]] = {}

    def __getitem__(self, protocol: str) -> Session:
        return self._by_channel[protocol]

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_channel)

    def __len__(self) -> int:
        return len(self._by_channel)

    def values(self) -> ValuesView[Session]:
        """Return the sessions, the oldest first."""
        return self._by_channel.values()

    def of(self, subscriber_id: str) -> list[Session]:
        """Return the sessions of a subscriber, the oldest first."""
        return list(self._by_subscriber.get(subscriber_id, ()))

    def subscriber_ids(self) -> Set[str]:
        """Return the ids of the subscribers who have a session."""
        return self._by_subscriber.keys()

    def add(self, session: Session) -> None:
        """Add a session."""
        self._by_channel[session.protocol] = session
        self._by_subscriber.setdefault(session.subscriber.id, {})[session] = None

    def remove(self, session: Session) -> None:
        """Remove a session that is over."""
        del self._by_channel[session.protocol]
        mine = self._by_subscriber[session.subscriber.id]
        del mine[session]
        if not mine:
            del self._by_subscriber[session.subscriber.id]
