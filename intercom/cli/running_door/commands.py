"""The commands that ask the running door station, or say why it does not answer."""

from __future__ import annotations

from pathlib import Path

from intercom.cli.command import Command, count, one_of, takes
from intercom.cli.shared_arguments import CONFIG, FLAG, JSON, OPERATOR, SOCKET, VIEWER

RULES_FILE = Path("/etc/udev/rules.d/85-intercom-sound.rules")
"""Path of our udev rules; they sort after 78-sound-card.rules, which handles sound cards for udev itself."""
ADDRESS = r"(/(private|public)/|\+|sips?:)[A-Za-z0-9._~:;=?@+/-]{1,255}"
SENTENCE = r"[ -,.-~][ -~]{0,199}"
NAME = r"[A-Za-z0-9._~+][A-Za-z0-9._~+-]{0,63}"
ENTRY = takes("name", nargs="?", default="", metavar="NAME", help="default: all", ssh=NAME)
MESSAGE = takes("id", metavar="ID", help="as `intercom messages` lists it", ssh=r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")

COMMANDS: tuple[Command, ...] = (
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
        "say",
        "speak a sentence to the visitor, without a conversation",
        ".cli.running_door.remote:speak",
        (
            SOCKET,
            takes(
                "words",
                metavar="TEXT|NAME",
                help="a sentence of at most 200 characters, or the name of a reply: coming, parcel, wait, away",
                ssh=SENTENCE,
            ),
        ),
        OPERATOR,
        "The replies are those of `[[reply]]`, where there are any; quote a sentence, also from the shell before ssh.",
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
        "auto-reply",
        "let the door reply to visitors by itself, as prompts.auto_reply_s says, or not; it stays so",
        ".cli.running_door.remote:auto_reply",
        (SOCKET, one_of("what", "on", "off", help="default: tell whether it does")),
        OPERATOR,
        "Without a word, the command tells whether it does.",
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
        "messages",
        "list the visitors' messages that are kept at the door",
        ".cli.running_door.messages:list_",
        (SOCKET, JSON),
        OPERATOR,
        "Those that the house's space has are on its page; the door keeps what the space does not have yet.",
    ),
    Command(
        "messages get",
        "fetch a visitor's message: an MP4 with sound, and with the picture where there is a camera",
        ".cli.running_door.messages:get",
        (
            SOCKET,
            MESSAGE,
            takes("file", type=Path, metavar="FILE", help="an MP4; - is standard output", ssh="-"),
        ),
        OPERATOR,
        "`-` is standard output.",
    ),
    Command(
        "messages delete",
        "delete a visitor's message",
        ".cli.running_door.messages:delete",
        (SOCKET, MESSAGE),
        OPERATOR,
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
    Command(
        "quiet",
        "switch the bells of the house off, until a time or for some hours, or on again",
        ".cli.running_door.quiet:quiet",
        (
            SOCKET,
            one_of("what", "on", "off", "until", "for", help="default: tell how quiet it is"),
            takes(
                "when",
                nargs="?",
                metavar="HH:MM|HOURS",
                help="until when, local time; or for how many hours",
                ssh=r"([01][0-9]|2[0-3]):[0-5][0-9]|[0-9]{1,3}(\.[0-9]{1,2})?",
            ),
        ),
        OPERATOR,
        "Without a word, the command tells how quiet it is; so does `intercom status`.",
    ),
    Command("notify", "try the notifications"),
    Command(
        "notify test",
        "send a test message, with a picture, to one service of [[notify]] or to all, and say whether it arrived",
        ".cli.running_door.notify:test",
        (SOCKET, ENTRY),
        OPERATOR,
    ),
    Command("webhook", "try the webhooks"),
    Command(
        "webhook test",
        "send a test to one [[webhook]] or to all, and say whether it took it",
        ".cli.running_door.webhooks:test",
        (SOCKET, ENTRY),
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
)
"""The commands, in the order of the help."""
