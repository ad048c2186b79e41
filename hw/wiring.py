"""Draws `hw/wiring.svg` with the pins of `intercom/config/schema.py`: `python hw/wiring.py > hw/wiring.svg`."""

import sys
from collections.abc import Iterator

from intercom.config import DoorConfig, PanelConfig
from intercom.panel.pins import simulated_pins

BUTTON_GROUND, LIGHT_GROUND, RELAY_GROUND, RELAY_SUPPLY = 9, 25, 20, 4
"""The header's supply pins, each chosen beside the wires that it goes with."""
AROUND_GROUND = 39
"""The header's pin whose ground all parts around the door share."""

AROUND = {"bell light": 13, "exit": 19, "tamper": 20, "contact": 16, "chime": 12}
"""GPIO numbers of what may be wired around the door, from left to right: an example, as in docs/entrance.md."""

PITCH = 17
HEADER_X, HEADER_Y = 500, 100
LIGHT_TERMINALS = {"green": 240, "red": 280, "ground": 320, "blue": 360}

COLOUR = {
    "button": "#7a5af8",
    "red": "#d9413b",
    "green": "#2e9e62",
    "blue": "#2f74e0",
    "relay": "#d98a1f",
    "bell light": "#0f97a6",
    "exit": "#c43d88",
    "tamper": "#6b7a1e",
    "contact": "#8a5a2b",
    "chime": "#c2602e",
    "ground": "#3d464e",
    "supply": "#b3362d",
}

STYLE = """
text { font: 13px system-ui, "Segoe UI", Roboto, "Noto Sans", sans-serif; fill: #1d242a; }
.title { font-size: 15px; font-weight: 600; } .small { font-size: 11.5px; fill: #56626d; }
.pin { font-size: 10.5px; fill: #414b54; } .middle { text-anchor: middle; } .end { text-anchor: end; }
.box { fill: #fff; stroke: #b9c2ca; stroke-width: 1.5; }
.part { fill: none; stroke: #1d242a; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
.resistor { fill: #f0dfc0; stroke: #1d242a; stroke-width: 1.5; } .ink { fill: #1d242a; }
.socket { fill: #2a3036; }
.wire { fill: none; stroke-width: 3; stroke-linejoin: round; stroke-linecap: round; }
.edge { fill: none; stroke: #f3f5f7; stroke-width: 7; stroke-linejoin: round; }
"""

FRAME = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1080 890" role="img" aria-labelledby="title">
<title id="title">How to wire the button, the light, the door's relay and what is around the door</title>
<style>{style}</style>
<rect width="1080" height="890" rx="18" fill="#f3f5f7"/>
{body}
</svg>
"""

PARTS = """
<rect class="box" x="40" y="52" width="210" height="108" rx="10"/>
<text class="title" x="54" y="76">Bell button</text>
<path class="part" d="M250 96H182V103M250 130H182V123M164 103V123M164 113H148"/>
<circle class="ink" cx="182" cy="104" r="3"/><circle class="ink" cx="182" cy="122" r="3"/>
<text class="small" x="54" y="110">normally open,</text><text class="small" x="54" y="126">dry contact</text>

<rect class="box" x="40" y="190" width="210" height="200" rx="10"/>
<text class="title" x="54" y="214">Light</text><text class="small" x="106" y="214">RGB, common cathode</text>
<path class="part" d="M250 240H80V360M250 280H80M250 360H80M250 320H80"/>
{leds}

<rect class="box" x="700" y="52" width="250" height="178" rx="10"/>
<text class="title" x="714" y="76">Relay module</text>
<text x="714" y="104">VCC</text><text x="714" y="154">IN</text><text x="714" y="204">GND</text>
<text class="small" x="774" y="104">5 V coil, 3.3 V trigger,</text>
<text class="small" x="774" y="120">active high</text>
<path class="part" d="M800 230V196L824 172M860 230V196H840"/>
<circle class="ink" cx="800" cy="196" r="3"/><circle class="ink" cx="838" cy="196" r="3"/>
<text class="small" x="806" y="222">COM</text><text class="small" x="866" y="222">NO</text>
<rect class="resistor" x="630" y="212" width="36" height="12"/>
<text class="small middle" x="648" y="206">10 kΩ</text>

<rect class="box" x="700" y="330" width="150" height="110" rx="10"/>
<text class="title middle" x="775" y="380">12 V supply</text>
<text class="small middle" x="775" y="398">of the door strike</text>
<text x="806" y="347">+</text><text x="806" y="434">\N{MINUS SIGN}</text>

<rect class="box" x="890" y="330" width="160" height="160" rx="10"/>
<text class="title" x="946" y="516">Door strike</text>
<text class="small" x="946" y="533">fail-secure:</text><text class="small" x="946" y="548">locked without power</text>
<path class="part" d="M930 330V365C955 365 955 388 930 388C955 388 955 411 930 411C955 411 955 434 930 434V490"/>
<path class="part" d="M930 345H1000V398M1000 422V475H930M988 398H1012"/>
<path class="ink" d="M988 422L1000 399L1012 422Z"/>
<text class="small" x="1003" y="450">1N4007</text>

<rect class="box" x="40" y="484" width="290" height="108" rx="10"/>
<text class="title" x="54" y="508">Without wires here</text>
<text class="small" x="54" y="530">USB speakerphone: any USB port. Microphone</text>
<text class="small" x="54" y="546">and loudspeaker in one device, on one clock.</text>
<text class="small" x="54" y="564">Camera: ribbon to the camera port.</text>
<text class="small" x="54" y="580">Supply: the Pi's own, 5 V.</text>

<text class="title" x="700" y="578">Around the door</text>
<text class="small" x="700" y="596">each is optional, its pin yours to choose</text>
"""


BOX_X, BOX_Y, BOX_STEP, BOX_WIDTH = 40, 712, 205, 190
SIGNAL_X, GROUND_X = 60, 130
"""Where a part around the door has its terminals, from the left of its box."""
GROUND_Y = 664
"""Height of the ground that these parts share."""
LANES = {"bell light": (350, 616), "exit": (370, 634), "tamper": (628, 634), "contact": (646, 634), "chime": (664, 616)}
"""Where the wire of each goes down beside the board, and where it goes across."""

SWITCH = '<path class="part" d="M60 0V44M130 0V44M70 44H120M95 44V30"/>'
"""A push button that closes while it is pressed."""
CONTACT = '<path class="part" d="M60 0V44H82L112 32M130 0V44H114"/>'
"""A contact that something else opens and closes."""
GLYPH = {
    "bell light": (
        "Second bell light",
        '<path class="part" d="M60 0V44M130 0V44H113M95 44H60M95 34V54L113 44ZM113 34V54"/>'
        '<rect class="resistor" x="54" y="10" width="12" height="26"/>',
        ("an LED with its resistor, like", "the light's; a lamp needs a", "transistor: see the table"),
    ),
    "exit": ("Exit button", SWITCH, ("inside the house, wires too;", "normally open")),
    "tamper": ("Tamper switch", CONTACT, ("the lid of the outer box", "holds it closed")),
    "contact": ("Door contact", CONTACT, ("a reed contact, closed", "while the door is")),
    "chime": (
        "Chime",
        '<rect class="part" x="44" y="26" width="102" height="30"/>'
        '<path class="part" d="M60 0V26M130 0V26M60 12H85M107 12H130"/>'
        '<rect class="resistor" x="83" y="6" width="26" height="12"/>'
        '<text class="small middle" x="95" y="45">relay module</text>',
        ("as the door's, its 10 kΩ too;", "VCC is 5 V (pin 2), COM and", "NO go to the chime's button"),
    ),
}
"""What is drawn of each part around the door: its name, its sign at its terminals, and what to mind."""


def header_pin(gpio: int) -> int:
    """Return the number of the 40-pin header's pin that carries `gpio`."""
    found = simulated_pins().factory.board_info.find_pin(gpio)
    return int(next(pin.number for header, pin in found if header.name == "J8"))


def assigned() -> dict[str, int]:
    """Return the GPIO number of each wire, as configured by default."""
    panel, door = PanelConfig(), DoorConfig()
    return {
        "button": panel.button_gpio,
        "red": panel.red_gpio,
        "green": panel.green_gpio,
        "blue": panel.blue_gpio,
        "relay": door.relay_gpio,
    }


def draw() -> str:
    """Return the drawing, whole."""
    pins = {name: header_pin(gpio) for name, gpio in assigned().items()}
    leds = "\n".join(_led(name, y) for name, y in LIGHT_TERMINALS.items() if name != "ground")
    around = {name: header_pin(gpio) for name, gpio in AROUND.items()}
    parts = [PARTS.strip().format(leds=leds), *_around_parts()]
    body = "\n".join([*_board(), *_wires(pins), *_around_wires(around), *parts, *_header(pins | around)])
    return FRAME.format(style=STYLE, body=body)


def _at(number: int) -> tuple[int, int]:
    """Where a header pin is: odd numbers on the left, even ones on the right."""
    return HEADER_X + (0 if number % 2 else PITCH), HEADER_Y + (number - 1) // 2 * PITCH


def _led(name: str, y: int) -> str:
    ohms = "330 Ω" if name == "red" else "100 Ω"
    return (
        f'<rect class="resistor" x="186" y="{y - 6}" width="36" height="12"/>'
        f'<text class="small middle" x="204" y="{y - 10}">{ohms}</text>'
        f'<path d="M132 {y - 9}L114 {y}L132 {y + 9}Z" fill="{COLOUR[name]}"/>'
        f'<path class="part" d="M114 {y - 9}V{y + 9}"/>'
    )


def _board() -> Iterator[str]:
    middle = HEADER_X + PITCH / 2
    yield f'<rect class="box" x="{middle - 98}" y="44" width="196" height="400" rx="10"/>'
    yield f'<text class="title middle" x="{middle}" y="72">Raspberry Pi</text>'
    width, height = PITCH + 20, 19 * PITCH + 20
    yield f'<rect class="socket" x="{HEADER_X - 10}" y="{HEADER_Y - 10}" width="{width}" height="{height}" rx="3"/>'


def _header(pins: dict[str, int]) -> Iterator[str]:
    gpios = assigned() | AROUND
    wires = {number: (COLOUR[name], f"GPIO {gpios[name]}") for name, number in pins.items()}
    wires |= dict.fromkeys((BUTTON_GROUND, LIGHT_GROUND, RELAY_GROUND, AROUND_GROUND), (COLOUR["ground"], "GND"))
    wires[RELAY_SUPPLY] = (COLOUR["supply"], "5 V")
    for number in range(1, 41):
        x, y = _at(number)
        colour, label = wires.get(number, ("#8a949d", ""))
        yield f'<circle cx="{x}" cy="{y}" r="5" fill="{colour}" stroke="#fff" stroke-width="{2 if label else 0}"/>'
        if label:
            place = f'class="pin end" x="{x - 14}"' if number % 2 else f'class="pin" x="{x + 14}"'
            yield f'<text {place} y="{y - 4}">{label} · {number}</text>'


def _wires(pins: dict[str, int]) -> Iterator[str]:
    yield from _wire("ground", BUTTON_GROUND, (400, 96), (250, 96))
    yield from _wire("button", pins["button"], (380, 130), (250, 130))
    yield from _wire("green", pins["green"], (360, LIGHT_TERMINALS["green"]), (250, LIGHT_TERMINALS["green"]))
    yield from _wire("red", pins["red"], (380, LIGHT_TERMINALS["red"]), (250, LIGHT_TERMINALS["red"]))
    yield from _wire("ground", LIGHT_GROUND, (400, LIGHT_TERMINALS["ground"]), (250, LIGHT_TERMINALS["ground"]))
    yield from _wire("supply", RELAY_SUPPLY, (666, 100), (700, 100))
    yield from _wire("relay", pins["relay"], (630, 150), (700, 150))
    yield from _wire("ground", RELAY_GROUND, (666, 200), (700, 200))
    blue = LIGHT_TERMINALS["blue"]
    yield from _wire("blue", pins["blue"], (612, 462), (320, 462), (320, blue), (250, blue))
    yield from _line("supply", [(800, 330), (800, 230)])
    yield from _line("supply", [(860, 230), (860, 290), (930, 290), (930, 330)])
    yield from _line("ground", [(930, 490), (930, 552), (800, 552), (800, 440)])


def _around_wires(pins: dict[str, int]) -> Iterator[str]:
    boxes = {name: BOX_X + number * BOX_STEP for number, name in enumerate(AROUND)}
    yield from _wire("ground", AROUND_GROUND, (390, GROUND_Y))
    grounds = [x + GROUND_X for x in boxes.values()]
    yield from _line("ground", [(grounds[0], GROUND_Y), (grounds[-1], GROUND_Y)])
    for x in grounds:
        yield from _line("ground", [(x, GROUND_Y), (x, BOX_Y)])
    for name, x in boxes.items():
        lane, across = LANES[name]
        yield from _wire(name, pins[name], (lane, across), (x + SIGNAL_X, across), (x + SIGNAL_X, BOX_Y))
    for x in (390, *grounds):
        yield f'<circle class="ink" cx="{x}" cy="{GROUND_Y}" r="4"/>'


def _around_parts() -> Iterator[str]:
    for number, name in enumerate(AROUND):
        title, sign, told = GLYPH[name]
        yield f'<g transform="translate({BOX_X + number * BOX_STEP} {BOX_Y})">'
        yield f'<rect class="box" width="{BOX_WIDTH}" height="148" rx="10"/>{sign}'
        yield f'<text class="title" x="14" y="84">{title}</text>'
        yield from (f'<text class="small" x="14" y="{104 + line * 16}">{text}</text>' for line, text in enumerate(told))
        yield "</g>"


def _wire(colour: str, number: int, *corners: tuple[int, int]) -> Iterator[str]:
    """A wire that leaves a header pin sideways and then goes by its corners."""
    x, y = _at(number)
    yield from _line(colour, [(x, y), (corners[0][0], y), *corners])


def _line(colour: str, points: list[tuple[int, int]]) -> Iterator[str]:
    path = " ".join(f"{x},{y}" for x, y in points)
    # The pale edge shows which wire passes over which: crossings are no joints.
    yield f'<polyline class="edge" points="{path}"/>'
    yield f'<polyline class="wire" stroke="{COLOUR[colour]}" points="{path}"/>'


if __name__ == "__main__":
    sys.stdout.write(draw())
