"""Keeps the connection: one task holds a session on a socket until the client stops it (protocol.md §3).

It joins the socket, the session and the reconnect policy, none of which knows of the others, to asyncio.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from intercom.signalwire.account.credentials import LinkCredentials
from intercom.signalwire.errors import (
    InvalidCredentialsError,
    InvalidParamsError,
    NotConnectedError,
    SignalWireError,
    TransportError,
)
from intercom.signalwire.link.connect_race import first_to_open, unless
from intercom.signalwire.link.reconnect import ATTEMPT_TIMEOUT_S, LONGEST_DELAY_S, LinkState, ReconnectPolicy
from intercom.signalwire.link.requests import LinkRequests
from intercom.signalwire.link.transport import Connector, ProbedSocket, Socket
from intercom.signalwire.observable import Happenings, Value, report_fault, task_failed
from intercom.signalwire.wire import messages as m
from intercom.signalwire.wire.events import (
    Authenticated,
    AuthenticationRefused,
    ConnectFailed,
    ConnectUnanswered,
    DisconnectRequested,
    EventReceived,
    FrameRejected,
    RequestAnswered,
    RequestFailed,
    Resume,
    ResumeChanged,
    ResumeRefused,
    SessionEvent,
    StaleEventDropped,
)
from intercom.signalwire.wire.session import Session
from intercom.tasks import TaskSet

logger = logging.getLogger(__name__)

MAX_UNSENT_BYTES = 1024 * 1024
"""Limit of bytes that wait for a slow socket: a hundred invites; pings notice a stuck one long before."""
CREDENTIAL_S = 300.0
"""Time limit for a credential: an owner's server may be slow."""
PROBE_S = 0.5
"""Time limit of a probe after a network change: an answer takes one round trip, and a new socket costs little."""


class Link:
    """Keeps one session connected; `requests` sends requests through it."""

    def __init__(
        self,
        credentials: LinkCredentials,
        *,
        agent: str,
        connector: Connector,
        random: Callable[[], float],
        longest_delay_s: float = LONGEST_DELAY_S,
    ) -> None:
        self.session = Session(agent=agent)
        self.requests = LinkRequests(self.session, running=lambda: self.running, pump=self._pump)
        self.ready: Value[bool] = Value(False)
        """Whether the session is ready now."""
        self.connected: Value[bool] = Value(False)
        """Whether the link has connected since `start`, and keeps its connection: true while it reconnects."""
        self.events: Happenings[m.Event] = Happenings()
        self.faults: Happenings[SignalWireError] = Happenings()
        self.refused: Happenings[SignalWireError] = Happenings()
        """Emits when the service refuses a credential that it accepted before."""
        self.warnings: Happenings[str] = Happenings()
        self.authenticated: Happenings[Authenticated] = Happenings()
        self.resume_changed: Happenings[Resume | None] = Happenings()
        self.reconnects = 0
        self._credentials = credentials
        self._connector = connector
        self._policy = ReconnectPolicy(random, longest_delay_s)
        self._task: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()
        self._socket: Socket | None = None
        self._probe: asyncio.Task[None] | None = None
        self._leave = asyncio.Event()
        self._why_left = ""
        self._retry = False
        self._closing = TaskSet(task_failed)
        self._timer: asyncio.TimerHandle | None = None
        self._ever_ready = False
        self._refused = False
        self._token_is_fresh = False
        self.fatal: SignalWireError | None = None
        self.why_down = ""
        """The reason why the last attempt failed; empty while the session is ready."""

    @property
    def state(self) -> LinkState:
        """The state of the connection."""
        return self._policy.state

    @property
    def running(self) -> bool:
        """Whether the link keeps a connection."""
        return self._task is not None and not self._task.done()

    def overdue_s(self) -> float:
        """Time for which the link's work has been overdue: 0 while the session makes progress.

        Being offline is none of it, while the attempts go on; a credential may be waited for `CREDENTIAL_S`.
        """
        if not self.running:
            return 0.0
        patience_s = CREDENTIAL_S if self.state is LinkState.CONNECTING else 0.0
        # A slow credential may have used up the attempt's time; once the socket is open, the session has its own.
        policy = None if self.state is LinkState.AUTHENTICATING else self._policy.next_deadline()
        session = self.session.next_deadline()
        due = [deadline for deadline in (policy and policy + patience_s, session) if deadline is not None]
        return max(0.0, self._now() - min(due)) if due else 0.0

    def start(self) -> None:
        """Connect, and stay connected."""
        if not self.running:
            self.fatal = None
            self._ever_ready = False
            self._policy.start(self._now())
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """Close the socket and stay disconnected; requests fail from now on."""
        self._policy.stop()
        if self._probe is not None:
            self._probe.cancel()
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            await asyncio.wait({task})
        await self._closing.finish()
        self.requests.drop()
        self._arm()

    def forget(self) -> None:
        """Drop the resume state."""
        self.session.forget()
        self._pump()

    async def wait_ready(self) -> None:
        """Wait until the session is ready; raises when the service refuses our credential for good."""
        while not self.ready.value:
            if self.fatal is not None:
                raise self.fatal
            if not self.running:
                raise NotConnectedError("The client is not connected; call connect() first.")
            self._wake.clear()
            await self._wake.wait()

    def renew(self) -> None:
        """Reconnect even if the connection looks healthy, to reset our own state; calls resume."""
        if self.state is LinkState.READY:
            self._leave_and_retry()
        else:
            self.network_changed()

    async def wait_ended(self) -> None:
        """Wait until the link's task ends, and raise its error unless `stop` ended it."""
        if self._task is not None:
            await asyncio.wait({self._task})
            if not self._task.cancelled():
                self._task.result()

    def network_changed(self) -> None:
        """Retry at once and probe the present connection, because the network may have changed."""
        match self.state:
            case LinkState.WAITING:
                self._policy.retry_now(self._now())
                self._wake.set()
            case LinkState.CONNECTING | LinkState.AUTHENTICATING:
                self._leave_and_retry()
            case LinkState.READY:
                self.probe()

    def probe(self) -> None:
        """Probe the present connection, and leave it at once if it is dead."""
        idle = self._probe is None or self._probe.done()
        socket = self._socket
        if idle and self.state is LinkState.READY and socket is not None and isinstance(socket, ProbedSocket):
            self._probe = asyncio.get_running_loop().create_task(self._leave_if_dead(socket, socket.is_alive(PROBE_S)))

    async def _leave_if_dead(self, socket: Socket, is_alive: Awaitable[bool]) -> None:
        if not await is_alive and self._socket is socket:
            self._why_left = "The network changed, and the service does not answer."
            self._leave_and_retry()

    # -- the task --------------------------------------------------------------------------------------

    async def _run(self) -> None:
        try:
            while self.state is not LinkState.STOPPED:
                self._leave.clear()
                self._why_left = ""
                await self._attempt()
                await self._pause()
        finally:
            self.session.socket_closed(self._now())
            self._pump()
            self.ready.set(False)
            self.connected.set(False)
            self._wake.set()

    async def _attempt(self) -> None:
        socket: Socket | None = None
        try:
            socket = await unless(self._leave, self._open(), self._close_in_background)
            await self._serve(socket)
        except (InvalidCredentialsError, InvalidParamsError) as error:
            self._refuse(error)
        except (SignalWireError, TimeoutError, OSError) as error:
            self._failed(str(error) or "The attempt took too long.")
        except Exception as error:  # noqa: BLE001 - a provider's fault becomes the loop's event; we go on
            report_fault("An attempt to connect failed unexpectedly", error)
            self._failed("An unexpected fault.")
        finally:
            self.session.socket_closed(self._now())
            self._pump()
            self.ready.set(False)
            self._socket = None
            if socket is not None:
                self._close_in_background(socket)

    async def _open(self) -> Socket:
        token = await self._credentials.token(fresh=self._refused)
        self._token_is_fresh, self._refused = self._refused or not self._ever_ready, False
        url, certificate = await self._credentials.relay(token)
        proof = await self._credentials.proof(resuming=self.session.resume is not None)
        async with asyncio.timeout(ATTEMPT_TIMEOUT_S):
            socket = await first_to_open(self._connector, url, certificate, self._close_in_background)
        self._policy.socket_opened()
        self._socket = socket
        self.session.socket_opened(self._now(), token, dpop_token=proof)
        self._pump()
        return socket

    async def _serve(self, socket: Socket) -> None:
        """Take frames until the socket closes or must be left."""
        tasks = [asyncio.ensure_future(work) for work in (self._read(socket), self._leave.wait())]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        raise TransportError(self._why_left or "The service closed the connection.")

    async def _read(self, socket: Socket) -> None:
        async for frame in socket.frames():
            self.session.receive(frame, self._now())
            self._pump()
            await asyncio.sleep(0)  # what an answer began goes on before the next of the frames that came with it

    async def _pause(self) -> None:
        deadline = self._policy.next_deadline()
        while self.state is LinkState.WAITING and deadline is not None:
            self._wake.clear()
            try:
                async with asyncio.timeout_at(deadline):
                    await self._wake.wait()
            except TimeoutError:
                self._policy.tick(self._now())
            deadline = self._policy.next_deadline()

    def _leave_and_retry(self) -> None:
        self._retry = True
        self._leave.set()

    def _close_in_background(self, socket: Socket) -> None:
        """Close the socket in the background, so that the next attempt does not wait for it."""
        self._closing.spawn(socket.close())

    def _failed(self, why: str) -> None:
        self.why_down = why
        if self._retry:
            self._retry = False
            self._policy.retry_now(self._now())
            return
        first = self._policy.failures == 0
        self._policy.failed(self._now())
        if self.state is LinkState.WAITING:
            logger.log(logging.WARNING if first else logging.DEBUG, "Not connected: %s Trying again.", why)

    def _refuse(self, error: SignalWireError) -> None:
        """Handle a refused credential: fail for good before the first success, else retry until its owner renews it."""
        self.faults.emit(error)
        if self._ever_ready:
            logger.warning("Not connected: %s Trying again with a fresh credential.", error)
            self._refused = True
            self.refused.emit(error)
            self._policy.failed(self._now(), refused=True)
        else:
            self.fatal = error
            self._policy.stop()

    # -- what the session says -------------------------------------------------------------------------

    def _pump(self) -> None:
        for event in self.session.events():
            self._handle(event)
        for frame in self.session.frames_to_send():
            if self._socket is None or self._socket.unsent_bytes > MAX_UNSENT_BYTES:
                self._leave.set()
                break
            self._socket.send(frame)
        self._arm()

    def _handle(self, event: SessionEvent) -> None:
        match event:
            case RequestAnswered() | RequestFailed():
                self.requests.conclude(event)
            case EventReceived(told):
                self.events.emit(told)
            case Authenticated():
                self._now_ready(event)
            case AuthenticationRefused(error):
                self._now_refused(error)
            case ResumeRefused():
                logger.info("The session could not be resumed; starting a fresh one.")
                self._leave_and_retry()
            case ConnectFailed(error):
                self._why_left = str(error)
                self._leave.set()
            case ConnectUnanswered() | DisconnectRequested():
                self._leave.set()
            case ResumeChanged(resume):
                self.resume_changed.emit(resume)
            case FrameRejected(reason):
                logger.debug("%s", reason)
                self.warnings.emit(reason)
            case StaleEventDropped(event_type):
                logger.debug("Dropped an event of another session.")
                self.warnings.emit(f"A {event_type} of another session came and was dropped.")

    def _now_ready(self, event: Authenticated) -> None:
        repeated = self._ever_ready
        failures = self._policy.failures
        outage_s = self._policy.authenticated(self._now())
        self._ever_ready = True
        self.why_down = ""
        self.connected.set(True)
        if repeated:
            self.reconnects += 1
        if repeated or failures:
            logger.info("Connected again after %.1f s.", outage_s)
        self.ready.set(True)
        self._wake.set()
        self.authenticated.emit(event)

    def _now_refused(self, error: SignalWireError) -> None:
        if self._token_is_fresh:
            self._refuse(error)
        else:
            self._refused = True
            self._leave_and_retry()
        self._leave.set()
        self._wake.set()

    # -- time ------------------------------------------------------------------------------------------

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        deadline = self.session.next_deadline()
        if deadline is not None:
            self._timer = asyncio.get_running_loop().call_at(deadline, self._tick)

    def _tick(self) -> None:
        self.session.tick(self._now())
        self._pump()

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()
