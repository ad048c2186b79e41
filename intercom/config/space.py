"""The settings of the embedded space."""

from intercom.config.fields import (
    CONTACT,
    GETS_THROUGH,
    HOST_NAME,
    LISTEN,
    LISTEN_ADDRESS,
    NAME,
    NETWORK,
    ORIGIN,
    PATH,
    PUBLIC_URL,
    TIME,
    TURN_URL,
    setting,
)
from intercom.config.table import Table


class SpaceConfig(Table):
    """The embedded space: the house's own service, so that it works with no account."""

    listen: str = setting(
        "127.0.0.1:8480",
        "Where it serves. `127.0.0.1` is this machine alone; `0.0.0.0:8443` is everyone on the network.",
        shape=LISTEN,
    )
    tls: str = setting("auto", "`auto` encrypts whenever other machines can connect.", choices=("auto", "on", "off"))
    host_names: tuple[str, ...] = setting(
        (), "More names and addresses by which this machine is asked for.", shape=HOST_NAME
    )
    certificate: str = setting(
        "",
        "File with your own certificate and its chain (PEM), such as certbot's `fullchain.pem`: shown to whoever asks "
        "for a name in it, and read again when it changes. Empty: none; see [certificates.md](certificates.md).",
        shape=PATH,
    )
    key: str = setting(
        "",
        "File with that certificate's key (PEM, without a password), for `intercom-space` to read. Empty: it is in the "
        "file of the certificate.",
        shape=PATH,
    )
    trust_port: int = setting(
        8444,
        "Port of the page `/trust`, in clear, with which phones learn to trust the space; it is served wherever the "
        "space itself serves with a certificate of its own. 0: nowhere. See [certificates.md](certificates.md).",
        low=0,
        high=65_535,
    )
    trusted_proxies: tuple[str, ...] = setting(
        (),
        "Addresses or networks of reverse proxies in front of the space, for example `127.0.0.1`. What they say about "
        "who asks, and how, is believed (`X-Forwarded-For`, `-Proto`, `-Host`, `-Prefix`): see "
        "[reverse-proxy.md](reverse-proxy.md).",
        shape=NETWORK,
    )
    public_url: str = setting(
        "",
        "What people open, where that is not the space's own address: the reverse proxy's, for example "
        "`https://door.example.com`, or `https://example.com/door` where the proxy takes the path off again. Empty: "
        "the space's own.",
        shape=PUBLIC_URL,
    )
    embed_allowed: tuple[str, ...] = setting(
        (),
        "Origins whose pages may show the house's page in a frame, such as Home Assistant's "
        "`https://homeassistant.local:8123`, and may watch the door with a viewer's token. Empty: none may. Whoever "
        "is on this list can lay things over the page that you tap: see [viewers.md](viewers.md).",
        shape=ORIGIN,
    )
    group: str = setting("house", "The group that paired stations join: its address is `/private/house`.", shape=NAME)
    token_lifetime_s: int = setting(
        3600, "Seconds that an access token lasts; clients renew theirs.", low=60, high=86_400
    )
    turn_listen: str = setting(
        "",
        "Where the space runs a TURN server of its own (Debian's coturn), for stations outside the network; for "
        "example `192.168.1.10:3478`. Empty: none.",
        shape=LISTEN_ADDRESS,
    )
    turn_url: str = setting("", "Somebody else's TURN server for stations outside the network.", shape=TURN_URL)
    turn_secret_file: str = setting("", "File with the TURN server's shared secret, mode 0600.", shape=PATH)
    push_contact: str = setting(
        "",
        "Whom a push service may ask about the pushes that wake this house's phones: `mailto:you@example.org` or an "
        "`https:` address. Empty: an address that is nobody's.",
        shape=CONTACT,
    )
    push_servers: tuple[str, ...] = setting(
        (),
        "Push services of your own, which may lie in your network and be spoken to without TLS. Pushes to any other "
        "go to public addresses on port 443 alone.",
        shape=LISTEN,
    )
    quiet_from: str = setting(
        "",
        "Local time from which the house is quiet every day, for example `22:00`: no bell of a phone or tablet sounds. "
        "Empty: it never is by itself. See [quiet-hours.md](quiet-hours.md).",
        shape=TIME,
    )
    quiet_to: str = setting("07:00", "Local time at which its bells sound again.", shape=TIME)
    quiet_notify: bool = setting(
        True,
        "While the house is quiet, show who rings all the same, without a sound: on the pages, and as a notification. "
        "Off, a visitor learns at once that nobody comes.",
    )
    quiet_except: tuple[str, ...] = setting(
        (),
        "Who always gets through, aloud: addresses of doors and of the house's phones and tablets, for example "
        "`/private/back-door`, and `button:NAME` for whoever presses the button of this name.",
        shape=GETS_THROUGH,
    )
