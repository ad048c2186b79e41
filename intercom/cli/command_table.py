"""The table of commands: each command once, with its words, help, arguments, SSH role and function.

The parser, the SSH gate, the completion, the manual page and the lists in docs/ are all made from it. A command's
function is named here and imported when the command runs, so that the table itself imports nothing heavy.
"""

from __future__ import annotations

from pathlib import Path

from intercom.cli.command import Command, count, one_of, takes
from intercom.cli.options import SYSTEM_CONFIG
from intercom.control.roles import ROLES

ABOUT = "a door station that registers as a SignalWire subscriber"
VIEWER, OPERATOR = ROLES
RULES_FILE = Path("/etc/udev/rules.d/85-intercom-sound.rules")
"""Path of our udev rules; they sort after 78-sound-card.rules, which handles sound cards for udev itself."""
ECHO = "/public/echo"
"""Default address of the test call; the embedded space answers there."""
PREFLIGHT_S = 5.0
"""Default length of the test call: time for two reports on the received packets; nobody likes to wait for ten."""
FLAG = ""
"""Pattern of an option without a value that may be given over SSH."""
ADDRESS = r"(/(private|public)/|\+|sips?:)[A-Za-z0-9._~:;=?@+/-]{1,255}"

SOCKET = takes("--socket", type=Path, metavar="PATH", help="the control socket (default: where it is found)")
CONFIG = takes("--config", type=Path, metavar="FILE", help=f"default: {SYSTEM_CONFIG}, if it exists")
STATE = takes("--state-dir", type=Path, metavar="DIRECTORY", help="default: the service's state directory")
JSON = takes("--json", action="store_true", help="print JSON", ssh=FLAG)
KEYS_FILE = takes(
    "--file",
    type=Path,
    metavar="FILE",
    help="authorized_keys to write (default: that of the installed door, or yours)",
)
COMMON = (SOCKET, CONFIG, STATE)
"""Options of many commands that say where something is; a short form of a command leaves them out."""


TABLE: tuple[Command, ...] = (
    Command(
        "status",
        "tell what the door station is doing",
        ".cli.running_door.remote:run_status",
        (SOCKET, JSON),
        VIEWER,
        "It answers also when the door station is down or hangs.",
    ),
    Command(
        "watch",
        "show what it is doing, live, until Ctrl-C",
        ".cli.running_door.watch:watch",
        (SOCKET, JSON),
        VIEWER,
        "In a pipe it prints one line for each change.",
        terminal=True,
    ),
    Command(
        "call",
        "ring the house, or an address",
        ".cli.running_door.remote:call",
        (
            SOCKET,
            takes(
                "address", nargs="?", default="", metavar="ADDRESS", help="default: whom the button rings", ssh=ADDRESS
            ),
        ),
        OPERATOR,
    ),
    Command("answer", "answer the call that rings at the door", ".cli.running_door.remote:answer", (SOCKET,), OPERATOR),
    Command("hangup", "end the call, however far it has come", ".cli.running_door.remote:hang_up", (SOCKET,), OPERATOR),
    Command(
        "dtmf",
        "press telephone keys at the far end of the call",
        ".cli.running_door.remote:dtmf",
        (SOCKET, takes("digits", metavar="DIGITS", help="0-9, *, #, A-D; quote the # from the shell")),
        more="A restricted SSH key may not, for what is asked over SSH is logged.",
    ),
    Command(
        "mute",
        "silence the microphone or the speaker",
        ".cli.running_door.remote:mute",
        (SOCKET, one_of("what", "microphone", "speaker", default="microphone")),
        OPERATOR,
        "The speaker falls silent with all that it plays; the light still answers a press.",
        {"on": True},
    ),
    Command(
        "unmute",
        "let the microphone or the speaker be heard again",
        ".cli.running_door.remote:mute",
        (SOCKET, one_of("what", "microphone", "speaker", default="microphone")),
        OPERATOR,
        sets={"on": False},
    ),
    Command(
        "volume",
        "make the speaker or the microphone louder or softer",
        ".cli.running_door.remote:volume",
        (
            SOCKET,
            one_of("what", "speaker", "microphone", default="speaker"),
            takes(
                "db",
                nargs="?",
                type=float,
                metavar="DB",
                help="-60 to 20 (default: tell the level)",
                ssh=r"-?[0-9]{1,2}(\.[0-9])?",
            ),
        ),
        OPERATOR,
        "A level is from -60 to 20 dB, and each sound card keeps its own. Without one, the command tells it.",
    ),
    Command(
        "camera",
        "switch the camera off for privacy, or on again; it stays so",
        ".cli.running_door.remote:camera",
        (SOCKET, one_of("what", "on", "off", help="default: tell whether it may run")),
        OPERATOR,
        "Without a word, the command tells whether the camera may run.",
    ),
    Command(
        "snapshot",
        "take a picture, or fetch the one of the last press",
        ".cli.running_door.remote:snapshot",
        (
            SOCKET,
            takes("--last", action="store_true", help="the picture of the last press", ssh=FLAG),
            takes("file", type=Path, metavar="FILE", help="a JPEG; - is standard output", ssh="-"),
        ),
        OPERATOR,
        "`-` is standard output.",
    ),
    Command("door", "open the door"),
    Command("door open", "open the door for its pulse", ".cli.running_door.remote:open_door", (SOCKET,), OPERATOR),
    Command(
        "devices",
        "list what is plugged in, what is used, and why",
        ".cli.running_door.remote:devices",
        (SOCKET, JSON),
        VIEWER,
    ),
    Command(
        "devices pin",
        "print udev rules that give each USB sound card the name of its socket",
        ".cli.devices:pin",
        (
            CONFIG,
            takes(
                "--write",
                nargs="?",
                type=Path,
                const=RULES_FILE,
                metavar="FILE",
                help=f"write them instead (default: {RULES_FILE})",
            ),
        ),
    ),
    Command(
        "calls",
        "list the last calls: who, when, how long, how good, who opened the door",
        ".cli.running_door.remote:calls",
        (SOCKET, JSON, count(20)),
        VIEWER,
    ),
    Command(
        "faults",
        "list what is broken, and what was, since the start",
        ".cli.running_door.remote:faults",
        (SOCKET, JSON, count(20)),
        VIEWER,
    ),
    Command(
        "metrics",
        "print the figures in Prometheus's text format",
        ".cli.running_door.remote:metrics",
        (SOCKET,),
        VIEWER,
    ),
    Command(
        "log",
        "print the last lines of the log, with or without a journal",
        ".cli.running_door.remote:log",
        (SOCKET, count(50)),
        VIEWER,
    ),
    Command("notify", "try the notifications"),
    Command(
        "notify test",
        "send a test message, with a picture, to one service of [[notify]] or to all, and say whether it arrived",
        ".cli.running_door.notify:test",
        (
            SOCKET,
            takes("name", nargs="?", default="", metavar="NAME", help="default: all", ssh=r"[A-Za-z0-9._~+-]{1,64}"),
        ),
        OPERATOR,
    ),
    Command(
        "wait",
        "wait until no call is in progress, as before a restart",
        ".cli.running_door.watch:wait",
        (
            SOCKET,
            takes(
                "--at-most",
                type=int,
                metavar="SECONDS",
                help="then it fails (default: when the call must have ended)",
                ssh=r"[0-9]{1,4}",
            ),
        ),
        OPERATOR,
        "`intercom wait && intercom restart` ends nobody's call.",
    ),
    Command(
        "restart",
        "restart the door station (under systemd)",
        ".cli.running_door.remote:restart",
        (SOCKET,),
        OPERATOR,
    ),
    Command(
        "diagnostics",
        "write a bundle for a bug report, without secrets",
        ".cli.running_door.remote:diagnostics",
        (SOCKET, takes("-o", "--output", type=Path, metavar="FILE", help="default: a file here; in a pipe, the pipe")),
        OPERATOR,
    ),
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
