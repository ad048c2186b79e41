"""The one parser of "host:port", and what it is asked about hosts."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom import net

labels = st.from_regex(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,20}[A-Za-z0-9_])?", fullmatch=True)
names = st.lists(labels, min_size=1, max_size=4).map(".".join).filter(lambda name: re.search("[^0-9.]", name))
hosts = names | st.ip_addresses().map(str)
ports = st.integers(0, 65535)
texts = st.text() | st.text("[]:.0123456789abcdef%-", max_size=30)


@given(hosts, ports)
def test_host_and_port_come_back_as_they_were_joined(host: str, port: int) -> None:
    assert net.split_listen(net.authority(host, port)) == (host, port)


@given(hosts)
def test_a_host_alone_comes_back_without_a_port(host: str) -> None:
    assert net.split_authority(net.authority(host)) == (host, None)


@given(texts)
def test_any_text_is_a_host_and_perhaps_a_port_or_is_refused(text: str) -> None:
    try:
        host, port = net.split_authority(text)
    except ValueError:
        return
    assert net.is_host_or_address(host)
    assert port is None or 0 <= port <= 65535
    assert net.split_authority(net.authority(host, port)) == (host, port)


def test_a_listening_address_is_split_into_host_and_port() -> None:
    assert net.split_listen("127.0.0.1:8480") == ("127.0.0.1", 8480)
    assert net.split_listen("[::1]:0") == ("::1", 0)


@pytest.mark.parametrize(
    "listen", ["", ":80", "host", "host:", "host:65536", "host:-1", "::1:80", "[x]:80", "256.1.1.1:80"]
)
def test_a_listening_address_that_is_none_is_refused(listen: str) -> None:
    with pytest.raises(ValueError, match=r"no (host|port)"):
        net.split_listen(listen)


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1", True),
        ("127.1.2.3", True),
        ("::1", True),
        ("localhost", True),
        ("puc.localhost", True),
        ("0.0.0.0", False),
        ("door.local", False),
    ],
)
def test_a_host_is_known_to_be_this_machine_or_not(host: str, local: bool) -> None:
    assert net.is_loopback(host) is local
