"""A paired phone that aims the space's pushes at the router, the NAS or the space itself (SSRF)."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intercom.space.errors import SubscriptionError
from intercom.space.push.services import ENDPOINT_LIMIT_CHARS, PushServices, is_public
from tests.space.conftest import House, configure, house
from tests.space.push.browser_keys import BrowserKeys
from tests.space.push.test_subscriptions import device, state, subscribe

__all__ = ["configure", "house"]

AIMED = [
    "http://push.example.net/x",
    "https://push.example.net:8443/x",
    "https://router/x",
    "https://localhost/x",
    "https://192.168.1.1/x",
    "https://127.1/x",
    "https://2130706433/x",
    "https://0x7f000001/x",
    "https://[::1]/x",
    "https://[fd00::1]/x",
    "https://[::ffff:192.168.1.1]/x",
    "https://user:password@push.example.net/x",
    "https://push.example.net/x#fragment",
    "https://push.example.net:99999/x",
    "https://push.example.net /x",
    "https://push.example.net/x\r\nHost: router",
    "https://push.example.net\\@router/x",
    "https://",
    "https:///x",
    "file:///etc/passwd",
    "ftp://push.example.net/x",
    "gopher://push.example.net:70/x",
    "//push.example.net/x",
    "https://push.example.net/" + "x" * ENDPOINT_LIMIT_CHARS,
    "https://pu\u0455h.example.net/x",
    "",
]

PRIVATE = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1%eth0",
    "fd00::1",
    "ff02::1",
    "::ffff:192.168.1.1",
    "::ffff:127.0.0.1",
    "64:ff9b::192.168.1.1",
    "2002:c0a8:0101::1",
    "no address",
    "",
]


@pytest.mark.parametrize("endpoint", AIMED)
async def test_a_phone_cannot_subscribe_another_machine(house: House, endpoint: str) -> None:
    phone = await device(house, "phone")
    assert (await subscribe(house, phone, BrowserKeys().subscription(endpoint)))[0] == 422
    assert (await state(house, phone))["endpoint"] == ""


@pytest.mark.parametrize("address", PRIVATE)
def test_a_name_that_leads_into_the_house_is_not_connected_to(address: str) -> None:
    assert not PushServices(()).may_connect("push.example.net", 443, address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2a00:1450:4001:80b::200a", "64:ff9b::8.8.8.8"])
def test_a_public_address_is_connected_to(address: str) -> None:
    assert PushServices(()).may_connect("push.example.net", 443, address)


@given(st.ip_addresses(network="10.0.0.0/8"))
def test_no_form_of_a_private_address_is_public(address: ipaddress.IPv4Address) -> None:
    forms = (str(address), f"::ffff:{address}", f"64:ff9b::{address}")
    assert not any(is_public(form) for form in forms)


@given(st.text(max_size=80))
def test_whatever_is_called_an_endpoint_is_checked_without_an_accident(text: str) -> None:
    for endpoint in (text, f"https://{text}", f"https://push.example.net/{text}"):
        try:
            assert PushServices(()).check(endpoint).startswith("https://")
        except SubscriptionError:
            continue


def test_only_the_owner_names_a_push_service_in_the_house() -> None:
    services = PushServices(["nas.local:8080"])
    assert services.check("http://nas.local:8080/push/1")
    assert services.may_connect("nas.local", 8080, "192.168.1.9")
    for other in ("http://nas.local/push/1", "http://nas.local:8081/push/1", "http://router.local:8080/push/1"):
        with pytest.raises(SubscriptionError):
            services.check(other)
    assert not services.may_connect("nas.local", 8081, "192.168.1.9")
