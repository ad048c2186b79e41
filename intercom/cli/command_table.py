"""The table of commands: each command once, with its words, help, arguments, SSH role and function.

The parser, the SSH gate, the completion, the manual page and the lists in docs/ are all made from it. A command's
function is named here and imported when the command runs, so that the table itself imports nothing heavy.
"""

from __future__ import annotations

from pathlib import Path

from intercom.cli.command import Command, one_of, takes
from intercom.cli.options import SYSTEM_CONFIG
from intercom.cli.running_door.commands import COMMANDS as OF_THE_RUNNING_DOOR
from intercom.cli.shared_arguments import CONFIG, JSON, SOCKET, STATE, VIEWER
from intercom.control.roles import PROGRAM_ROLES, ROLES

ABOUT = "a door station that registers as a SignalWire subscriber"
ECHO = "/public/echo"
"""Default address of the test call; the embedded space answers there."""
PREFLIGHT_S = 5.0
"""Default length of the test call: time for two reports on the received packets; nobody likes to wait for ten."""
KEYS_FILE = takes(
    "--file",
    type=Path,
    metavar="FILE",
    help="authorized_keys to write (default: that of the installed door, or yours)",
)


TABLE: tuple[Command, ...] = (
    *OF_THE_RUNNING_DOOR,
    Command(
        "doctor",
        "look at everything a door needs; say what is wrong and how to mend it",
        ".cli.checks.doctor:command",
        (SOCKET, JSON, CONFIG),
    ),
    Command(
        "setup",
        "ask what your door has, write its configuration, start it",
        ".setup.apply:setup",
        (
            takes("--answers", metavar="FILE", help="take the answers from a TOML file; -: standard input"),
            takes("--config", type=Path, metavar="FILE", default=SYSTEM_CONFIG, help=f"default: {SYSTEM_CONFIG}"),
        ),
    ),
    Command(
        "preflight",
        "make a test call to an address that answers by itself, and say how good it was",
        ".cli.checks.preflight:preflight",
        (
            takes("address", nargs="?", default=ECHO, metavar="ADDRESS", help=f"default: {ECHO}"),
            takes(
                "--seconds",
                type=float,
                default=PREFLIGHT_S,
                metavar="S",
                help=f"how long it talks (default: {PREFLIGHT_S:g})",
            ),
            CONFIG,
            STATE,
            JSON,
        ),
    ),
    Command("recorder", "say which recorders and players may watch the door, by RTSP and ONVIF"),
    Command(
        "recorder add",
        "make an account for a recorder or a player, and print its password once",
        ".cli.recorder:add",
        (
            takes("name", metavar="NAME", help="its user name: up to 32 letters, digits and . _ -"),
            takes("--talk", action="store_true", help="let it talk at the door too"),
            takes("--open", action="store_true", help="let it open the door too, by ONVIF with a Digest of auth-int"),
            CONFIG,
            STATE,
        ),
        more="It works for a running door at once.",
    ),
    Command("recorder list", "list the accounts", ".cli.recorder:list_", (CONFIG, STATE, JSON)),
    Command(
        "recorder remove",
        "take an account away; what it watches ends",
        ".cli.recorder:remove",
        (takes("name", metavar="NAME", help="as `intercom recorder list` shows it"), CONFIG, STATE),
    ),
    Command("audio", "try the sound card"),
    Command(
        "audio test",
        "play noise for three seconds, listen, and say what to turn up or down; the door station must not run",
        ".cli.checks.audio:test",
        (
            CONFIG,
            takes("--store", action="store_true", help="keep the levels that it recommends for this card"),
            STATE,
            JSON,
        ),
        more="`--store` keeps the levels that it recommends.",
    ),
    Command("config", "check a configuration, or write an example"),
    Command(
        "config check",
        "say what is wrong with a configuration, and where",
        ".cli.config:check",
        (takes("file", nargs="?", type=Path, metavar="FILE", help=f"default: {SYSTEM_CONFIG}"),),
    ),
    Command("config example", "write a commented example", ".cli.config:example"),
    Command(
        "plan",
        "explain whom a press would ring at a given time, and why",
        ".cli.plan:explain",
        (
            CONFIG,
            takes("--at", default="", metavar="TIME", help='for example "Sat 23:10" (default: now)'),
            takes("--button", default="", metavar="NAME", help="default: all buttons"),
            JSON,
        ),
        more='A weekday is the next one; a date goes before the time as in "2026-12-24 18:00".',
    ),
    Command("ssh-key", "say who may run commands over SSH"),
    Command(
        "ssh-key add",
        "let a key run commands: a viewer's to look, an operator's to do",
        ".cli.ssh:add",
        (
            KEYS_FILE,
            takes("keyfile", type=Path, metavar="KEYFILE", help="a public key: the file that ends in .pub"),
            takes("--role", choices=ROLES, default=VIEWER, help=f"default: {VIEWER}"),
            SOCKET,
        ),
    ),
    Command("ssh-key list", "list the keys", ".cli.ssh:list_", (KEYS_FILE,)),
    Command(
        "ssh-key remove",
        "take a key's rights away",
        ".cli.ssh:remove",
        (KEYS_FILE, takes("which", metavar="NAME|FINGERPRINT", help="as `intercom ssh-key list` shows it")),
    ),
    Command("api", "say which programs may use the HTTP API"),
    Command("api token", "make, list and remove tokens"),
    Command(
        "api token add",
        "make a token for a program and print it, this once",
        ".cli.api:add",
        (
            CONFIG,
            STATE,
            takes("name", metavar="NAME", help="what the log calls the program"),
            takes("--role", choices=PROGRAM_ROLES, default=VIEWER, help=f"default: {VIEWER}"),
            takes("--days", type=int, default=0, metavar="N", help="make it worthless after N days (default: never)"),
        ),
        more="A viewer may look, an operator may also ring, answer, speak and take pictures, an opener may also open "
        "the door.",
    ),
    Command("api token list", "list the tokens", ".cli.api:list_", (CONFIG, STATE, JSON)),
    Command(
        "api token remove",
        "make a token worthless",
        ".cli.api:remove",
        (CONFIG, STATE, takes("name", metavar="NAME", help="as `intercom api token list` shows it")),
        more="Its streams of events end within seconds.",
    ),
    Command(
        "space",
        "run the embedded space: the house's own service, with no account",
        ".cli.space:serve",
        (CONFIG, STATE),
    ),
    Command(
        "space pair",
        "print a code, to scan or to type, with which one phone or tablet joins the house within ten minutes",
        ".cli.space:pair",
        (CONFIG, STATE, takes("--name", default="Station", metavar="NAME", help="what the house calls it")),
    ),
    Command(
        "space trust",
        "print where phones, tablets and computers learn to trust the house, also to scan",
        ".cli.space:trust",
        (CONFIG, STATE, takes("--new", action="store_true", help="a new CA: every device has to trust it anew")),
        more="A space that an older version set up shows a certificate of the house's CA from then on.",
    ),
    Command(
        "space devices",
        "list the doors, phones and tablets that can sign in",
        ".cli.space:devices",
        (CONFIG, STATE, JSON),
        more="It tells when each was paired and who let it in; the days on which its page and its socket last came; "
        "when its owner last heard it ring, with the page open and closed; whether it is woken by push, and its last "
        "receipt; and what to do where one of these is missing.",
    ),
    Command(
        "space remove",
        "throw a device out: for a phone that was lost",
        ".cli.space:remove",
        (
            CONFIG,
            STATE,
            takes("who", metavar="NAME", help="its name or its address, as `intercom space devices` shows them"),
            takes("--force", action="store_true", help="also when it is a door"),
        ),
        more="It gets no new token and makes no pairing code at once, its calls end within a second, and the command "
        "says whom it had let in. A door goes only with `--force`; the house's own door gets a new secret by itself.",
    ),
    Command("space viewer", "let recorders and dashboards watch the door with a token", takes=(CONFIG, STATE)),
    Command(
        "space viewer add",
        "make a token with which a recorder or a dashboard watches the door, and print it once",
        ".cli.space:viewer_add",
        (
            CONFIG,
            STATE,
            takes("name", metavar="NAME", help="what the log calls it, such as frigate"),
            takes("--talk", action="store_true", help="let it hear the door and speak there too"),
        ),
        more="The door must let it: `camera.look`, and for `--talk` `call.viewers_talk`.",
    ),
    Command("space viewer list", "list them", ".cli.space:viewer_list", (CONFIG, STATE, JSON)),
    Command(
        "space viewer remove",
        "take a token back: its views end within a second",
        ".cli.space:viewer_remove",
        (CONFIG, STATE, takes("name", metavar="NAME", help="as `intercom space viewer list` shows it")),
    ),
    Command(
        "space enrol",
        "write a door's credential to a file",
        ".cli.space:enrol",
        (
            CONFIG,
            STATE,
            takes("file", type=Path, metavar="FILE", help="the file to write, mode 0600"),
            takes("--reference", default="door", metavar="REFERENCE", help="its name in addresses: /private/REFERENCE"),
            takes("--name", default="Door", metavar="NAME", help="what the house sees when it calls"),
        ),
    ),
    Command(
        "demo",
        "try it: run a door, a house and everything between them on this machine",
        ".cli.demo:command",
        (
            takes("--lan", action="store_true", help="let phones and tablets on this network answer the door"),
            takes(
                "--state-dir",
                type=Path,
                metavar="DIRECTORY",
                help="keep pairings here (default: the state directory, demo/)",
            ),
            CONFIG,
        ),
    ),
    Command("run", "run the door station", ".cli.run:run_door", (CONFIG,)),
    Command(
        "door-off",
        "drive the door relay off, whatever happened (for systemd)",
        ".door_off:command",
        (CONFIG,),
    ),
    Command(
        "ssh-gate",
        "run what an SSH client asks for, if its role may (for sshd)",
        ".cli.ssh:gate",
        (
            one_of("role", *ROLES, help="default: that of the session's key"),
            takes("--name", default="", metavar="NAME", help="whose key it is"),
            SOCKET,
        ),
    ),
)
"""Every command, in the order of the help."""
