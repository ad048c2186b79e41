"""The installed door station from the kernel's start on: what is late, what dies, what hangs, what is wrong."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from .station import CREDENTIAL, INTERCOM, LATE_CARD, SPACE_STATE, STATE, SWAP, TRACES, Station, copy_of

EXPOSURE_LIMIT = 1.5
BITE_S = 40
"""It bites after half of it at least; a command, which a busy machine starts late, says after 5 s that it hangs."""
PLUG_CARD = "test -e /proc/asound/Loopback || echo snd_aloop.0 >/sys/bus/platform/drivers/snd_aloop/bind"
KEPT = ["/etc/intercom", "/etc/intercom/intercom.toml", STATE, SPACE_STATE]
"""What stays when the door is uninstalled: settings and state."""


@pytest.fixture(scope="module")
def station(station_disk: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Station]:
    with Station(copy_of(station_disk, tmp_path_factory.mktemp("station")), arguments=(LATE_CARD,)) as station:
        yield station


@pytest.fixture(scope="module")
def restarted(station: Station) -> tuple[str, str]:
    """The service's process before and after `intercom restart`; from then on its watchdog bites sooner."""
    station.wait_registered()
    assert station.show("WatchdogUSec") == "20s"
    station.run(
        "mkdir -p /run/systemd/system/intercom.service.d;"
        f"printf '[Service]\\nWatchdogSec={BITE_S}\\n' >/run/systemd/system/intercom.service.d/bench.conf;"
        "systemctl daemon-reload"
    ).check()
    before = station.show("MainPID")
    station.run(f"{INTERCOM} restart").check()
    station.wait(f"test $(systemctl show --value -p MainPID intercom) != {before}", "it ended")
    station.wait_registered()
    return before, station.show("MainPID")


def test_it_registers_by_itself_from_the_kernel_s_start(station: Station) -> None:
    station.wait_registered()
    at = float(station.run("cat /proc/uptime").check().split()[0])
    active = int(station.show("ActiveEnterTimestampMonotonic")) / 1e6
    began = int(station.show("InactiveExitTimestampMonotonic")) / 1e6
    print(f"kernel start -> unit started {began:.1f} s -> active {active:.1f} s -> registered {at:.1f} s")
    assert began < active < at
    assert station.show("NRestarts") == "0"


def test_a_card_that_comes_after_the_service_is_taken(station: Station) -> None:
    before = station.status()
    assert before["registered"]
    assert {fault["kind"] for fault in before["faults"]} == {"microphone", "speaker"}
    station.run(PLUG_CARD).check()
    took = station.wait(f'{INTERCOM} status --json | grep -q \'"state": "idle"\'', "the card works")
    print(f"card bound -> sound {took:.1f} s")
    after = station.status()
    assert "Loopback" in after["sound"]["card"]
    assert after["faults"] == []
    assert after["pid"] == before["pid"]


def test_two_equal_cards_found_in_another_order_after_a_restart_have_the_names_of_their_sockets(
    station: Station,
) -> None:
    station.run(SWAP).check()
    cards = station.run("udevadm settle; cat /proc/asound/cards; touch /run/Twin.out").check()
    named = dict(re.findall(r"\[(\w+) *\]: USB-Audio.*\n.* at usb-vhci_hcd\.0-(\d)", cards))
    assert named == {"Door": "1", "Door2": "2"}, cards


def test_both_services_are_hardly_exposed(station: Station) -> None:
    for unit in ("intercom", "intercom-space"):
        said = station.run(f"systemd-analyze security --no-pager {unit} | tail -n 1").check()
        score = float(re.search(r"level for \S+: ([0-9.]+)", said)[1])  # type: ignore[index] # no match is a failure
        print(f"{unit}: exposure {score}")
        assert score <= EXPOSURE_LIMIT


def test_a_key_works_over_the_machine_s_own_ssh_server_and_only_as_its_role(station: Station) -> None:
    station.run(
        f"ssh-keygen -q -t ed25519 -N '' -C anna -f /root/anna; {INTERCOM} ssh-key add /root/anna.pub --role viewer;"
        "systemctl start ssh"
    ).check()
    ssh = "ssh -i /root/anna -o BatchMode=yes -o StrictHostKeyChecking=no -o LogLevel=ERROR {} intercom@localhost {}"
    assert station.run(ssh.format("", "status")).check().startswith("Ready")
    watching = f"{ssh.format('-tt', 'watch')} </dev/null >/run/seen 2>&1 &"
    station.run(f"{watching} until grep Ready /run/seen; do sleep 0.1; done; kill $!").check()
    refused = station.run(ssh.format("", "door open"))
    assert (refused.status, len(refused.output.splitlines())) == (6, 1)
    assert station.run(ssh.format("-tt", "status")).status == 6
    log = station.run("journalctl --no-pager -o cat -t intercom-ssh").output
    assert "viewer anna: status" in log
    assert "refused viewer anna: 'door open'" in log


PROBES = {
    "hears": ("arecord -q -D plughw:Loopback,1 -d 1 -f S16_LE -r 48000 /dev/null", True),
    "opens the pins": ("head -c 0 </dev/gpiochip0", True),
    "opens the disk": ("head -c 1 /dev/ubda", False),
    "opens the watchdog": ("head -c 1 /dev/watchdog0", False),
    "writes the system": ("touch /etc/intercom/x", False),
    "writes its state": ("touch /var/lib/intercom/probe", True),
    "sees other processes": ("test -e /proc/1/status", False),
    "reads homes": ("ls /root", False),
    "becomes root": ("su -c true", False),
    "makes a namespace": ("unshare --user true", False),
    "takes more memory than it may": ("python3 -c 'bytearray(1 << 29)'", False),
}


def test_the_sandbox_lets_the_door_have_its_devices_and_nothing_else(station: Station) -> None:
    """The unit with everything as it is, but another program."""
    station.run(PLUG_CARD).check()
    station.wait_registered()
    station.run("systemctl stop intercom").check()
    could = station.can("intercom", {name: command for name, (command, _) in PROBES.items()})
    station.run("systemctl start intercom").check()
    assert could == [name for name, (_, may) in PROBES.items() if may]


def test_the_audio_thread_goes_before_others(station: Station) -> None:
    station.wait_registered()
    assert station.status()["sound"]["real_time"]
    threads = station.run("ps -L -o class=,rtprio=,comm= -p $(systemctl show --value -p MainPID intercom)").output
    assert re.search(r"^\s*RR\s+10\b", threads, re.MULTILINE), threads


def test_the_log_has_priorities_and_no_secret(station: Station) -> None:
    station.configure('[log]\nlevel = "debug"')
    station.wait_registered()
    station.run(f"{INTERCOM} call /private/echo").check()
    station.wait(f'{INTERCOM} status --json | grep -q \'"phase": "active"\'', "the echo answers")
    station.run(f"{INTERCOM} hangup").check()
    station.wait(f"{INTERCOM} calls -n 1 | grep Echo", "the call is in the log")
    entries = [json.loads(line) for line in station.journal("-b -o json").splitlines()]
    by_level = {str(entry["MESSAGE"]).split(" ")[0]: entry["PRIORITY"] for entry in entries if "LOGGER" in entry}
    assert (by_level["INFO"], by_level["DEBUG"]) == ("6", "7")
    secret = json.loads(station.run(f"cat {CREDENTIAL}").check())["device_secret"]
    everything = "\n".join(str(entry["MESSAGE"]) for entry in entries)
    assert secret not in everything
    assert re.findall(r"eyJ[\w-]{8,}\.[\w-]{8,}", everything) == []


def test_the_bundle_for_a_bug_report_has_no_secret_and_what_the_journal_says(station: Station) -> None:
    station.run(f"cd /run && {INTERCOM} diagnostics -o bundle.tar.gz && tar xzf bundle.tar.gz").check()
    secret = json.loads(station.run(f"cat {CREDENTIAL}").check())["device_secret"]
    assert station.run(f"grep -rF -e {secret} /run/intercom-diagnostics").output == ""
    assert station.run("grep -rl 'the service knows us' /run/intercom-diagnostics/system").check()


def test_a_token_comes_from_systemd_and_reaches_nobody_else(station: Station) -> None:
    station.run(
        f'secret=$(sed -n \'s/.*"device_secret": "\\(.*\\)",*/\\1/p\' {CREDENTIAL});'
        "python3 - $secret >/etc/intercom/token <<'X'\n"
        "import json, sys, urllib.request as u\n"
        "ask = u.Request('http://127.0.0.1:8480/api/space/token', b'{}', {'Authorization': 'Bearer ' + sys.argv[1]})\n"
        "print(json.load(u.urlopen(ask))['token'])\nX\n"
        "chmod 600 /etc/intercom/token"
    ).check()
    station.configure(
        '[account]\ncredential = "token-file"\ncredential_file = "$CREDENTIALS_DIRECTORY/token"\n'
        'relay_url = "ws://localhost:8480"\napi_url = "http://localhost:8480"'
    )
    station.wait_registered()
    token = station.run("cat /etc/intercom/token").check().strip()
    assert station.run("stat -c %a:%U /etc/intercom/token").output.strip() == "600:root"
    assert station.run("sudo -u nobody cat /run/credentials/intercom.service/token").status != 0
    assert (
        token not in station.run("tr '\\0' '\\n' </proc/$(systemctl show --value -p MainPID intercom)/environ").output
    )
    assert token not in station.journal()


def test_a_killed_door_is_locked_and_back_at_once(station: Station) -> None:
    relay = "cat /sys/devices/platform/gpio-sim.*/gpiochip*/sim_gpio24/value"
    assert station.run(f"{INTERCOM} door open >&2 && {relay}").check().splitlines()[-1] == "1"
    station.run("kill -KILL $(systemctl show --value -p MainPID intercom)").check()
    locked = station.wait(f"test $({relay}) = 0", "the door is locked")
    back = station.wait_registered()
    print(f"killed -> locked {locked:.1f} s -> registered {locked + back:.1f} s")
    assert int(station.show("NRestarts")) == 1


def test_restart_is_a_command(station: Station, restarted: tuple[str, str]) -> None:
    before, after = restarted
    assert after not in {before, "0"}
    assert station.show("Result") == "success"


def test_a_hung_door_says_so_and_is_started_anew(station: Station, restarted: tuple[str, str]) -> None:
    before = station.status()["pid"]
    station.run(f"kill -STOP {before}").check()
    said = station.status()
    assert (said["state"], said["pid"]) == ("not_answering", before)
    station.wait(f"test $(systemctl show --value -p MainPID intercom) != {before}", "the watchdog bites")
    assert "Watchdog timeout" in station.run("journalctl -u intercom -b").check()
    took = station.wait_registered()
    print(f"bitten -> registered {took:.1f} s")
    assert station.status()["pid"] != before
    station.run("rm -r /run/systemd/system/intercom.service.d; systemctl daemon-reload").check()


def test_a_wrong_configuration_is_told_in_a_sentence_and_its_mending_is_enough(station: Station) -> None:
    since, began = station.now(), time.monotonic()
    station.configure("[cal]\nring_time_s = 30")
    station.wait("journalctl -u intercom -b | grep -q 'no such table'", "it is told")
    said = station.journal(since)
    assert re.search(r"/etc/intercom/intercom.toml: .*\s+line 1: cal: no such table", said), said
    assert "Traceback" not in said
    down = station.status()
    assert down["state"] == "not_running"
    assert down["lasted_s"] < time.monotonic() - began + 1
    station.configure("", start=False)
    took = station.wait_registered()
    print(f"corrected -> registered {took:.1f} s")


def test_a_network_that_comes_after_the_services_is_waited_for(station: Station) -> None:
    station.configure('[space]\nlisten = "192.168.77.1:8443"')
    station.wait("test $(systemctl show --value -p ActiveState intercom) = active", "the door waits")
    assert not station.status()["registered"]
    since = station.now()
    station.run("ip link add lan type dummy && ip address add 192.168.77.1/24 dev lan && ip link set lan up").check()
    took = station.wait_registered()
    print(f"network up -> registered {took:.1f} s")
    assert "Traceback" not in station.journal(since)


def test_uninstalling_leaves_the_settings_and_the_state_and_then_not_even_those(station: Station) -> None:
    station.run("cd /checkout && make uninstall").check()
    assert station.run("pgrep --full /opt/intercom").output == ""
    pinned = "/etc/udev/rules.d/85-intercom-sound.rules"
    assert station.run(TRACES).check().split() == [*KEPT[:2], pinned, *KEPT[2:]]
    station.run("cd /checkout && make uninstall PURGE=1").check()
    assert station.run(TRACES).check() == ""
    assert (
        station.run(
            "getent passwd intercom intercom-space; getent group intercom intercom-space; systemctl cat intercom 2>&-"
        ).output
        == ""
    )
