"""What is done to the emulated Raspberry Pi, step by step, and what each step shows."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.hardware.house import DOOR, PINS
from tests.hardware.wait import until

from .board import PYTHON
from .pi import Pi

LIMIT_S = 3600.0
"""Of what the door does, by the host's clock; the longest is its start, four minutes on a busy machine."""
LIGHTS = {"red": PINS.red_gpio, "green": PINS.green_gpio, "blue": PINS.blue_gpio}
WHITE, GREEN, BLUE = set(LIGHTS), {"green"}, {"blue"}
OUTPUTS = (*LIGHTS.values(), DOOR.relay_gpio)
CONFIGURATION = """state_dir = "/run/door"
[audio]
card = "plughw:CARD=Loopback,DEV=0"
[camera]
source = "off"
[door]
pulse_s = 5
"""
PREPARE = f"""mkdir -p /etc/intercom /run/intercom
printf '%s' '{CONFIGURATION}' >/etc/intercom/intercom.toml
printf '#!/bin/bash\\ncd /checkout && RUNTIME_DIRECTORY=/run/intercom exec {PYTHON} -m intercom "$@"\\n' \
  >/usr/bin/intercom
chmod +x /usr/bin/intercom"""
CHIPS = f"""cd /checkout && {PYTHON} -c '
from intercom.gpio_chip import header_chip, is_pi
print(is_pi(), header_chip())'; ls /dev/gpiochip*"""
START = """intercom space >/run/space.log 2>&1 &
until [ -e /run/door/door.json ]; do sleep 1; done
intercom run >/run/run.log 2>&1 &
echo $! >/run/pid
until [ -e /run/intercom/control.sock ]; do sleep 1; done
for look in $(seq 60); do
  [[ $(intercom status --json) == *'"registered": true'* ]] && exit; sleep 1; done
cat /run/*.log; exit 1"""
RINGS = "idle -> ringing: the house rings"
HELD = """while read -r line; do [[ $line == *'|lg '* ]] && echo "$line"; done </sys/kernel/debug/gpio; true"""
"""What the kernel says of the lines that lgpio holds."""


class PiStory:
    """A door on the board's own GPIO controller, watched from outside."""

    def __init__(self, pi: Pi) -> None:
        self._pi = pi

    def steps(self) -> Mapping[str, Callable[[], str]]:
        """Each step by what it shows; it returns what is worth telling."""
        return {
            "a Raspberry Pi 3 is up, and its header is found by its label": self._boots,
            "a relay that was left on is turned off": self._locks,
            "the door is registered, its light is white, its relay off": self._registers,
            "the button is pressed, and the light is blue": self._is_pressed,
            "the door opens for its pulse, and the light is green": self._opens,
            "a door that is killed as it stands open drives nothing any more": self._dies,
        }

    def journal(self) -> str:
        """Return what the programs and the kernel logged last."""
        return self._pi.run("tail -n 100 /run/*.log").output + self._pi.console()[-3000:]

    def _run(self, script: str) -> str:
        return self._pi.run(script, limit_s=LIMIT_S).check()

    def _boots(self) -> str:
        self._run(PREPARE)
        said = self._run(f"tr -d '\\0' </proc/device-tree/model; echo; uname -r; {CHIPS}")
        model, _, header, *chips = said.splitlines()
        assert model == "Raspberry Pi 3 Model B", said
        assert header == "True gpiochip0 (pinctrl-bcm2835, 54 lines)", said
        assert len(chips) == 2, said
        return said

    def _locks(self) -> str:
        relay = DOOR.relay_gpio
        self._pi.drive(relay, high=True)
        assert self._pi.level(relay)
        said = self._run("intercom door-off")
        assert not self._pi.level(relay)
        assert not self._pi.is_driven(relay)
        return said

    def _registers(self) -> str:
        self._pi.pull(PINS.button_gpio, high=True)
        self._run(START)
        until(lambda: self._shines() == WHITE, LIMIT_S, "the light is white")
        assert all(self._pi.is_driven(gpio) for gpio in OUTPUTS)
        assert not self._pi.is_driven(PINS.button_gpio)
        assert not self._is_open()
        return self._run(HELD)

    def _is_pressed(self) -> str:
        self._pi.pull(PINS.button_gpio, high=False)
        until(lambda: self._shines() == BLUE, LIMIT_S, "the light is blue")
        until(lambda: self._shines() == WHITE, LIMIT_S, "the light is white again: who holds the button gives up")
        self._pi.pull(PINS.button_gpio, high=True)
        said = self._run("cat /run/run.log")
        assert RINGS in said, said
        return RINGS

    def _opens(self) -> str:
        opening = self._open()
        until(lambda: self._shines() == GREEN, LIMIT_S, "the light is green")
        until(lambda: not self._is_open(), LIMIT_S, "the relay is off")
        until(lambda: self._shines() == WHITE, LIMIT_S, "the light is white again")
        return self._pi.result(opening, limit_s=LIMIT_S).check()

    def _dies(self) -> str:
        opening = self._open()
        self._run("kill -KILL $(cat /run/pid)")
        self._pi.result(opening, limit_s=LIMIT_S)
        until(lambda: not any(map(self._pi.is_driven, OUTPUTS)), LIMIT_S, "no pin is driven")
        said = self._run("intercom door-off")  # as systemd does it then
        assert not self._is_open()
        return said

    def _open(self) -> str:
        """Open the door, and return the name of what does it as soon as the relay is on."""
        opening = self._pi.start("intercom door open", limit_s=LIMIT_S)
        until(lambda: self._is_open() or not self._pi.running(opening), LIMIT_S, "the relay is on")
        assert self._is_open(), self._pi.result(opening, limit_s=LIMIT_S)
        return opening

    def _is_open(self) -> bool:
        return self._pi.level(DOOR.relay_gpio)

    def _shines(self) -> set[str]:
        """The colours that are on."""
        return {colour for colour, gpio in LIGHTS.items() if self._pi.level(gpio)}
