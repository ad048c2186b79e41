"""The settings of the HTTP API."""

from intercom.config.fields import HOST_NAME, LISTEN, NETWORK, PATH, PUBLIC_URL, setting
from intercom.config.table import Table


class ApiConfig(Table):
    """The HTTP API, for programs of the house that have a token: docs/api.md. Off by default."""

    listen: str = setting(
        "",
        "Where the door serves it, for example `0.0.0.0:8490`; `127.0.0.1:8490` is this machine alone. Empty: nowhere.",
        shape=LISTEN,
    )
    tls: str = setting("auto", "`auto` encrypts whenever other machines can connect.", choices=("auto", "on", "off"))
    host_names: tuple[str, ...] = setting(
        (), "More names and addresses by which this machine is asked for.", shape=HOST_NAME
    )
    certificate: str = setting(
        "",
        "File with your own certificate and its chain (PEM), read again when it changes. Empty: the door makes one, "
        "with a CA of its own in `api/ca.crt` in its state directory.",
        shape=PATH,
    )
    key: str = setting(
        "",
        "File with that certificate's key (PEM, without a password). Empty: it is in the file of the certificate.",
        shape=PATH,
    )
    trusted_proxies: tuple[str, ...] = setting(
        (), "Addresses or networks of reverse proxies in front of the API, for example `127.0.0.1`.", shape=NETWORK
    )
    public_url: str = setting(
        "",
        "What programs ask, where that is not the API's own address: the reverse proxy's. Empty: its own.",
        shape=PUBLIC_URL,
    )
