"""The settings of the panel: its buttons, its lights and the chime."""

from typing import Final

from intercom.config.fields import LABEL, LISTEN, NAME, entries, setting
from intercom.config.table import Table

GPIO_HIGHEST: Final = 27
"""Highest GPIO on the 40-pin header, which has 0 to 27."""
NO_GPIO: Final = -1
"""Value of a pin that is not used."""
BUTTONS_LIMIT: Final = 16
"""Limit of buttons: a header has no pins for more."""


class ButtonConfig(Table):
    """A button of several: where there are such entries they are all the buttons, and `button_gpio` is not used."""

    gpio: int = setting(17, "Its pin: the button, to ground.", low=0, high=GPIO_HIGHEST)
    name: str = setting("", "What the log, the notifications and the simulated panel call it. Needed.", shape=LABEL)
    plan: str = setting(
        "", "The plan of `[[call.plan]]` that it begins. Empty: the plan of the steps that name none.", shape=NAME
    )


class PanelConfig(Table):
    """The button that a visitor presses and the lights that they see. Pins are GPIO (BCM) numbers."""

    pins: str = setting(
        "auto",
        "`gpio` drives the Raspberry Pi's header, `simulated` needs no hardware; `auto` is `gpio` where there is one.",
        choices=("auto", "gpio", "simulated"),
    )
    button_gpio: int = setting(
        17, "The button, to ground. For several, see `[[panel.button]]`.", low=0, high=GPIO_HIGHEST
    )
    button_settle_ms: int = setting(5, "A press counts once the contact has been still for this long.", low=0, high=100)
    button_lockout_ms: int = setting(200, "After a press, another one is ignored for this long.", low=0, high=5000)
    hold_s: float = setting(2.0, "Holding the button for this long ends the ringing.", low=0.5, high=10)
    light: str = setting(
        "rgb",
        "`rgb` is one light of three colours, `single` one light on `green_gpio`.",
        choices=("rgb", "single", "none"),
    )
    red_gpio: int = setting(22, "Red of the light.", low=0, high=GPIO_HIGHEST)
    green_gpio: int = setting(27, "Green of the light, or the single light.", low=0, high=GPIO_HIGHEST)
    blue_gpio: int = setting(23, "Blue of the light.", low=0, high=GPIO_HIGHEST)
    lights_active_high: bool = setting(True, "Whether a high pin lights the light (common cathode).")
    bell_light_gpio: int = setting(
        NO_GPIO,
        "GPIO (BCM) number of a second light, for example in the hall, that flashes when somebody rings, for whoever "
        "does not hear the bell; `lights_active_high` goes for it too. -1: none.",
        low=NO_GPIO,
        high=GPIO_HIGHEST,
    )
    chime_gpio: int = setting(
        NO_GPIO,
        "GPIO (BCM) number of a relay that rings the chime of the house at each press, with the network down too. It "
        "is silent while the house is quiet. -1: none.",
        low=NO_GPIO,
        high=GPIO_HIGHEST,
    )
    chime_active_high: bool = setting(True, "Whether a high pin rings the chime.")
    chime_s: float = setting(
        0.5, "Seconds for which its relay is on at a press: a struck chime needs half a second.", low=0.1, high=5
    )
    page_listen: str = setting(
        "127.0.0.1:8481",
        "Where the page with the simulated button and lights is served. Only with simulated pins. Empty: nowhere.",
        shape=LISTEN,
        may_be_empty=True,
    )
    button: tuple[ButtonConfig, ...] = entries(BUTTONS_LIMIT)

    @property
    def buttons(self) -> tuple[ButtonConfig, ...]:
        """All buttons: the one of `button_gpio` where no others are named."""
        return self.button or (ButtonConfig(gpio=self.button_gpio),)
