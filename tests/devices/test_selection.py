"""Who gets which role: configured, else remembered, else used before, else the best."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from intercom.devices.device import Device, find
from intercom.devices.selection import Known, Preferred, Wishes, choose

PHONE = Device("Device", "USB Phone", "usb", "usb-1.2", "0d8c", "0014", "A1", captures=0, plays=0)
OTHER = Device("Other", "Jabra", "usb", "usb-1.3", "0b0e", "0412", "B2", captures=0, plays=0)
HDMI = Device("vc4hdmi0", "vc4-hdmi-0", "hdmi", "platform/hdmi", plays=0)
JACK = Device("Headphones", "bcm2835 Headphones", "onboard", "platform/jack", plays=0)
HAT = Device("wm8960", "wm8960 HAT", "onboard", "platform/hat", captures=0, plays=0)
WEBCAM_MICROPHONE = Device("C920", "HD Pro Webcam", "usb", "usb-1.4", "046d", "082d", "", captures=0)
CAMERA = Device("/dev/video0", "HD Pro Webcam", "usb", "usb-1.4", "046d", "082d", "")
AUTO = Wishes()


def names(cards: list[Device], wishes: Wishes = AUTO, known: Known = Known()) -> tuple[str | None, str | None]:  # noqa: B008 (frozen)
    chosen = choose(cards, [], wishes, known)
    return chosen["microphone"].opens, chosen["speaker"].opens


def known(device: Device, *history: Device, wish: str = "") -> Known:
    return Known({"microphone": Preferred(device, wish), "speaker": Preferred(device, wish)}, history)


def pcm(card: Device) -> str:
    return f"plughw:CARD={card.name},DEV=0"


def test_a_usb_speakerphone_goes_before_all_else() -> None:
    assert names([HDMI, JACK, HAT, WEBCAM_MICROPHONE, PHONE]) == (pcm(PHONE), pcm(PHONE))


def test_one_card_for_both_goes_before_two_halves() -> None:
    assert names([WEBCAM_MICROPHONE, JACK, HAT]) == (pcm(HAT), pcm(HAT))


def test_two_halves_are_better_than_none() -> None:
    assert names([HDMI, JACK, WEBCAM_MICROPHONE]) == (pcm(WEBCAM_MICROPHONE), pcm(JACK))


def test_without_a_microphone_it_is_said_and_the_speaker_is_used() -> None:
    chosen = choose([HDMI], [], AUTO, Known())
    assert chosen["microphone"].opens is None
    assert "plug in a USB speakerphone" in chosen["microphone"].why
    assert chosen["speaker"].device == HDMI


def test_what_was_chosen_before_is_chosen_again() -> None:
    assert names([PHONE, OTHER], known=known(OTHER)) == (pcm(OTHER), pcm(OTHER))


def test_the_chosen_piece_is_known_again_in_another_socket_and_under_another_name() -> None:
    moved = replace(PHONE, name="Device_1", port="usb-1.4")
    assert names([moved], known=known(PHONE)) == (pcm(moved), pcm(moved))


def test_twins_without_serial_numbers_keep_their_roles_by_their_sockets() -> None:
    left, right = replace(PHONE, serial=""), replace(PHONE, serial="", port="usb-1.3", name="Device_1")
    swapped = [replace(left, name="Device_1"), replace(right, name="Device")]
    assert names(swapped, known=known(left)) == ("plughw:CARD=Device_1,DEV=0", "plughw:CARD=Device_1,DEV=0")


def test_twins_that_cannot_be_told_apart_are_reported() -> None:
    wanted = replace(PHONE, serial="", port="usb-9")
    choice = choose([replace(wanted, port="usb-1"), replace(wanted, port="usb-2", name="D1")], [], AUTO, known(wanted))
    assert choice["speaker"].ambiguous
    assert choice["speaker"].device is not None
    assert choice["speaker"].device.port == "usb-1"


def test_another_piece_of_the_same_product_in_the_same_socket_stands_in_until_the_own_one_is_back() -> None:
    twin, back = replace(PHONE, serial="Z9"), replace(PHONE, name="Device_1", port="usb-1.4")
    alone = choose([twin], [], AUTO, known(PHONE))["speaker"]
    assert alone.device == twin
    assert alone.is_stand_in
    assert choose([twin, back], [], AUTO, known(PHONE))["speaker"].device == back


def test_a_card_used_before_stands_in_before_a_better_stranger() -> None:
    chosen = choose([OTHER, HAT], [], AUTO, known(PHONE, HAT))
    assert chosen["speaker"].device == HAT
    assert chosen["speaker"].is_stand_in


def test_another_speakerphone_stands_in() -> None:
    chosen = choose([HDMI, OTHER], [], AUTO, known(PHONE))
    assert chosen["microphone"].device == chosen["speaker"].device == OTHER
    assert chosen["speaker"].is_stand_in


def test_a_socket_with_nothing_in_it_does_not_stand_in() -> None:
    chosen = choose([HDMI, JACK], [], AUTO, known(PHONE))
    assert chosen["speaker"].opens is None
    assert '"USB Phone" is not plugged in' in chosen["speaker"].why


def test_what_is_configured_goes_before_memory() -> None:
    wishes = Wishes("plughw:CARD=Other,DEV=0", "plughw:CARD=Other,DEV=0")
    assert names([PHONE, OTHER], wishes, known(PHONE)) == (wishes.microphone, wishes.speaker)


def test_a_configured_name_that_tells_no_card_is_opened_as_it_is() -> None:
    assert names([], Wishes("pulse", "hw:1")) == ("pulse", "hw:1")


def test_a_configured_card_that_is_away_is_waited_for() -> None:
    chosen = choose([PHONE], [], Wishes("hw:Other", "hw:Other"), Known())
    assert chosen["speaker"].opens is None
    assert "not plugged in" in chosen["speaker"].why


def test_a_configured_card_that_came_back_under_another_name_is_found() -> None:
    wish = "plughw:CARD=Device,DEV=0"
    back = replace(PHONE, name="Device_1")
    assert names([back], Wishes(wish, wish), known(PHONE, wish=wish)) == (pcm(back), pcm(back))


def test_the_configured_name_goes_to_the_piece_that_had_it_and_not_to_its_twin() -> None:
    wish = "plughw:CARD=Device,DEV=0"
    twin, back = replace(PHONE, serial="A2", port="usb-1.3"), replace(PHONE, name="Device_1")
    assert names([twin, back], Wishes(wish, wish), known(PHONE, wish=wish)) == (pcm(back), pcm(back))


def test_a_stranger_of_the_configured_name_only_stands_in_for_the_piece_that_had_it() -> None:
    wish = "plughw:CARD=Device,DEV=0"
    choice = choose([replace(OTHER, name="Device")], [], Wishes(wish, wish), known(PHONE, wish=wish))["speaker"]
    assert choice.opens == wish
    assert choice.is_stand_in


def test_a_configuration_that_was_changed_is_obeyed() -> None:
    wish = "plughw:CARD=Other,DEV=0"
    assert names([PHONE, OTHER], Wishes(wish, wish), known(PHONE, wish="hw:Device")) == (pcm(OTHER), pcm(OTHER))


def test_a_camera_is_found_again_under_another_file() -> None:
    back = replace(CAMERA, name="/dev/video2")
    wishes = Wishes(camera="/dev/video0")
    before = Known({"camera": Preferred(CAMERA, "/dev/video0")})
    assert choose([], [back], wishes, before)["camera"].opens == "/dev/video2"
    assert choose([], [], wishes, before)["camera"].device is None


def test_a_camera_on_the_ribbon_cable_goes_before_one_on_v4l2() -> None:
    ribbon = Device("/dev/media0", "imx708", "ribbon", "platform/csi")
    wishes = Wishes(camera="/dev/video0")
    assert choose([], [ribbon, CAMERA], wishes, Known())["camera"].device == ribbon
    assert choose([], [CAMERA], wishes, Known())["camera"].device == CAMERA


cards = st.builds(
    Device,
    name=st.sampled_from(["A", "B", "C"]),
    label=st.sampled_from(["one", "two"]),
    kind=st.sampled_from(["usb", "onboard", "hdmi", "virtual"]),
    port=st.sampled_from(["p", "q", ""]),
    serial=st.sampled_from(["", "1"]),
    captures=st.sampled_from([None, 0]),
    plays=st.sampled_from([None, 0, 1]),
)


@given(st.lists(cards, max_size=4), st.lists(cards, max_size=3))
def test_whatever_is_opened_is_plugged_in_and_can_do_it(plugged: list[Device], before: list[Device]) -> None:
    remembered = known(before[0], *before) if before else Known()
    chosen = choose(plugged, [], AUTO, remembered)
    for role, direction in (("microphone", "capture"), ("speaker", "playback")):
        choice = chosen[role]  # type: ignore[index]  # the two of the literal type's three
        assert (choice.device is None) == (choice.opens is None)
        if choice.device is not None:
            assert choice.device in plugged
            assert choice.opens == choice.device.pcm(direction)  # type: ignore[arg-type]  # as above


@given(cards, st.lists(cards, max_size=4))
def test_the_exact_piece_is_never_passed_over(wanted: Device, others: list[Device]) -> None:
    match = find(wanted, [*others, wanted], [device.port for device in others if device.port != wanted.port])
    assert match.device is not None
    assert match.device.is_exactly(wanted)
