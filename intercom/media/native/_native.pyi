"""The compiled module. Sound is int16, what is calculated float32; each array is one-dimensional and contiguous.

A wrong type raises TypeError, a wrong length ValueError.
"""

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

VERSION: Final[int]

def energy(samples: npt.NDArray[np.int16], /) -> float:
    """Return the sum of the squares."""

def peak(samples: npt.NDArray[np.int16], /) -> int:
    """Return the largest magnitude; 0 of nothing."""

def echo_energies(
    left: npt.NDArray[np.int16], near: npt.NDArray[np.int16], cleaned: npt.NDArray[np.int16], length: int, /
) -> list[tuple[float, float, float]]:
    """Return the energies of each block of this length: of `left`, of what `near` has more, and of `cleaned`."""

def choose_filters(constructor: int, filters: int, /) -> int:
    """Let WebRTC's cancellers that are made from now on look for the delay with so many filters, 1 to 5.

    `constructor`: address of the package's own constructor of their configuration. Returns how many were made so.
    """

def varispeed(
    heard: npt.NDArray[np.int16],
    filters: npt.NDArray[np.float32],
    taps: int,
    ahead: float,
    speed: float,
    played: npt.NDArray[np.int16],
    /,
) -> None:
    """Write what is heard at `speed` from the place `ahead` on; `filters` are the phases', of 16 or 24 `taps` each."""

def opus_encode(encode: int, encoder: int, frame: npt.NDArray[np.int16], /) -> bytes | int:
    """Encode a frame of one voice into a packet, without Python's lock; returns libopus' error if it cannot, below 0.

    `encode`, `encoder`: addresses of `opus_encode` and of an encoder of one channel that nobody else uses meanwhile.
    """

def opus_decode(decode: int, decoder: int, packet: bytes, sound: npt.NDArray[np.int16], before: bool, /) -> int:
    """Write a packet's sound, or that of the packet `before` it, and return its length, without Python's lock.

    An empty packet is a loss that is concealed. Returns libopus' error if it cannot, below 0. `decode`, `decoder`:
    addresses of `opus_decode` and of a decoder of one channel that nobody else uses meanwhile.
    """

class Decimator:
    """Divides the sample rate by `factor`, with a filter that keeps its past."""

    def __init__(self, kernel: npt.NDArray[np.float32], factor: int, /) -> None:
        """Take the filter, which begins with the weight of the oldest sample; its length is a multiple of `factor`."""

    def run(self, block: npt.NDArray[np.int16], down: npt.NDArray[np.int16], /) -> None:
        """Write the next samples into `down`, which has one for each `factor` of `block`."""

    def clear(self) -> None:
        """Take what came before for silence."""

class LinearFilter:
    """Takes the far end's echo out of what the microphone hears: the frames are of 16 kHz, and of whole 10 ms."""

    def __init__(self) -> None:
        """Begin with no echo path."""

    def process(self, near: npt.NDArray[np.int16], far: npt.NDArray[np.int16], left: npt.NDArray[np.int16], /) -> None:
        """Write what the predicted echo leaves of the near frame into `left`; all three are of one length."""

    def reset(self) -> None:
        """Forget the echo path."""

class Passage:
    """Chooses what the far end is sent of each block of 10 ms at 16 kHz: WebRTC's output, or the visitor."""

    def __init__(self) -> None:
        """Begin with an echo that nothing is known of."""

    def send(
        self,
        near: npt.NDArray[np.int16],
        left: npt.NDArray[np.int16],
        cleaned: npt.NDArray[np.int16],
        spoken: npt.NDArray[np.int16],
        share: float,
        sent: npt.NDArray[np.int16],
        /,
    ) -> float:
        """Write what is sent of a frame into `sent`, and return the visitor's share at its end; `share` before it."""

    def rest(self) -> None:
        """Forget what was heard last, and keep how well the filter holds the echo."""

    def forget_the_background(self) -> None:
        """Listen for the door's background anew."""

class PacketWriter:
    """Seals RTP packets (RFC 3711) and sends them to one address."""

    def __init__(self, protect: int, session: int, descriptor: int, address: bytes, /) -> None:
        """Take the addresses of libsrtp's `srtp_protect` and of a session, and a socket's descriptor.

        Session and socket have to outlive the writer. `address` is as the kernel has it (`struct sockaddr_in`,
        `sockaddr_in6`), or empty if the socket is connected.
        """

    def send(self, packet: bytes, /) -> bytes | None:
        """Seal and send a packet at once; returns it sealed where the socket has no room.

        OSError where the system refuses it, ValueError where it cannot be sealed. Nobody else may use the session
        meanwhile.
        """

    def seal(self, packets: Sequence[bytes], /) -> list[bytes]:
        """Return the packets sealed, in their order; errors and session as in `send`."""

class PacketReader:
    """Reads datagrams from a socket, and opens the packets of one stream among them (RFC 3711)."""

    def __init__(self, unprotect: int, session: int, descriptor: int, /) -> None:
        """Take the addresses of libsrtp's `srtp_unprotect` and of a session, and a socket's descriptor.

        Session and socket have to outlive the reader.
        """

    def receive(self) -> int:
        """Read what has come, or some of it, at once, and return the number of datagrams; OSError of the socket's."""

    def tell(
        self, source: int, kind: int, /
    ) -> tuple[list[tuple[int, int, bytes, float, int]], list[tuple[bytes, Any, float]], bool]:
        """Return what was received, once.

        First the opened packets of this source (SSRC) and payload type: number, timestamp, payload, how long ago it
        came, and the datagram's bytes. Then, as it came, what is not of them, cannot be opened, or came after such a
        datagram: its bytes, its sender's address, how long ago it came. At last whether this is all that had come. No
        datagram is older than the last look at an empty socket. Nobody else may use the session meanwhile.
        """
