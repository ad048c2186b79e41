"""`intercom recorder`: the accounts of recorders and players that watch the door."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING

from intercom.cli import render as text
from intercom.cli.options import with_config
from intercom.cli.running_door.remote import OK, TROUBLE, complain, print_json, say
from intercom.service import run_as_service

if TYPE_CHECKING:
    from intercom.config import Config
    from intercom.integrations.rtsp.accounts import Account, Accounts


def _accounts(options: argparse.Namespace, config: Config) -> Accounts:
    from intercom.integrations.rtsp.accounts import Accounts

    return Accounts(options.state_dir or config.state_path(os.environ))


def _add(options: argparse.Namespace, config: Config) -> int:
    from intercom.integrations.rtsp.accounts import AccountsError
    from intercom.net import authority, is_unspecified, split_listen

    try:
        account = _accounts(options, config).add(options.name, talk=options.talk, opens=options.open)
    except (AccountsError, OSError) as error:
        complain(str(error))
        return TROUBLE
    host, port = split_listen(config.rtsp.listen or "0.0.0.0:8554")
    place = authority("ADDRESS-OF-THE-DOOR" if is_unspecified(host) else host, port)
    say(f"{account.name} may {_may(account)}. This is shown once:")
    say(f"  user      {account.name}")
    say(f"  password  {account.password}")
    say(f"  URL       rtsp://{account.name}:{account.password}@{place}/door")
    if account.open:
        say("It opens by ONVIF if it answers HTTP Digest with qop=auth-int; few recorders do (docs/recorders.md).")
    if not config.rtsp.listen:
        say('Nobody can watch yet: set listen = "0.0.0.0:8554" under [rtsp], and restart the door.')
    return OK


def _list(options: argparse.Namespace, config: Config) -> int:
    accounts = list(_accounts(options, config))
    if options.json:
        print_json([{"name": each.name, "talk": each.talk, "open": each.open} for each in accounts])
    elif accounts:
        say(text.table(("NAME", "MAY"), [(each.name, _may(each)) for each in accounts]))
    else:
        say("Nobody can watch; `intercom recorder add NAME` makes an account.")
    return OK


def _remove(options: argparse.Namespace, config: Config) -> int:
    from intercom.integrations.rtsp.accounts import AccountsError

    try:
        _accounts(options, config).remove(options.name)
    except (AccountsError, OSError) as error:
        complain(str(error))
        return TROUBLE
    say(f"{options.name} cannot watch any more; what it watches now ends within a second or two.")
    return OK


def _may(account: Account) -> str:
    also = [word for word, may in (("talk", account.talk), ("open the door", account.open)) if may]
    return " and ".join(["watch", *also])


add = with_config(_add, run_as_service.take_its_place)
list_ = with_config(_list, run_as_service.take_its_place)
remove = with_config(_remove, run_as_service.take_its_place)
