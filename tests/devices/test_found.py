"""What the kernel's files say of a device, without opening it."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from intercom.devices import Finder

from .tree import Tree


def test_a_usb_card_is_known_by_its_make_its_serial_number_and_its_port(tree: Tree, finder: Finder) -> None:
    tree.usb_card(1, "1-1.2", name="Phone", product="Speak 510", serial="00A1")
    (card,) = finder.sound_cards()
    assert (card.name, card.label, card.kind) == ("Phone", "Speak 510", "usb")
    assert (card.vendor, card.product, card.serial) == ("0d8c", "0014", "00A1")
    assert card.port == "platform/soc/fe980000.usb/usb-1.2"
    assert card.is_duplex
    assert card.pcm("capture") == "plughw:CARD=Phone,DEV=0"


def test_the_port_does_not_hold_the_number_of_the_bus_which_changes(tree: Tree, finder: Finder) -> None:
    tree.usb_card(1, "7-1.2")
    assert finder.sound_cards()[0].port.endswith("/usb-1.2")


def test_a_card_does_only_what_it_has_pcms_for(tree: Tree, finder: Finder) -> None:
    tree.other_card(0, "Headphones", "bcm2835_headpho", does="p")
    (card,) = finder.sound_cards()
    assert card.pcm("capture") is None
    assert card.pcm("playback") == "plughw:CARD=Headphones,DEV=0"
    assert card.kind == "onboard"


def test_hdmi_and_loopback_are_told_from_real_sound(tree: Tree, finder: Finder) -> None:
    tree.other_card(0, "vc4hdmi0", "vc4-hdmi")
    tree.other_card(1, "Loopback", "Loopback", does="cp")
    assert [card.kind for card in finder.sound_cards()] == ["hdmi", "virtual"]


def test_a_card_that_is_plugged_in_again_is_the_same_piece_and_another_plug(tree: Tree, finder: Finder) -> None:
    tree.usb_card(1, "1-1.2")
    (before,) = finder.sound_cards()
    tree.unplug("card1")
    assert finder.sound_cards() == []
    (tree.root / "sys/takes-the-inode-that-is-free-now").mkdir()
    tree.usb_card(1, "1-1.2")
    (after,) = finder.sound_cards()
    assert after.is_exactly(before)
    assert after.plug != before.plug


def test_a_card_that_goes_while_it_is_read_is_none(tree: Tree, finder: Finder) -> None:
    tree.usb_card(1, "1-1.2")
    (tree.root / "sys/class/sound/card1").unlink()
    assert finder.sound_cards() == []


def test_cameras_are_the_video_devices_that_are_cameras(tree: Tree, finder: Finder) -> None:
    tree.camera(0, "1-1.3", product="C920", serial="77")
    tree.camera(10, "1-1.4", product="a codec")
    del tree.names["/dev/video10"]
    (camera,) = finder.cameras()
    assert (camera.name, camera.label, camera.serial) == ("/dev/video0", "C920", "77")


def test_a_camera_on_a_ribbon_cable_is_known_by_its_sensor_and_one_on_usb_is_not_told_twice(
    tree: Tree, finder: Finder
) -> None:
    before = finder.signature()
    tree.camera(0, "1-1.3", product="C920")
    tree.sensor(0, "imx708", "fe801000.csi")
    tree.sensor(1, "Camera 1", "fe980000.usb/usb1/1-1/1-1.3/1-1.3:1.0")
    ribbon, usb = finder.cameras()
    assert (ribbon.name, ribbon.label, ribbon.kind) == ("/dev/media0", "imx708", "ribbon")
    assert ribbon.port == "platform/soc/fe801000.csi"
    assert usb.name == "/dev/video0"
    assert finder.signature() != before


def test_a_card_is_read_once_while_it_is_plugged_in(tree: Tree, finder: Finder) -> None:
    tree.usb_card(1, "1-1.2", product="Speak 510")
    before = finder.sound_cards()
    (product,) = tree.root.rglob("product")
    product.write_text("read again\n")
    assert finder.sound_cards() == before


def test_a_pcm_that_a_card_is_given_later_is_found(tree: Tree, finder: Finder) -> None:
    tree.other_card(0, "Headphones", "bcm2835_headpho", does="p")
    assert not finder.sound_cards()[0].is_duplex
    (tree.root / "sys/class/sound/card0/pcmC0D0c").mkdir()
    assert finder.sound_cards()[0].is_duplex


def test_what_udev_calls_the_port_is_read_from_its_database(tree: Tree, finder: Finder) -> None:
    tree.usb_card(1, "1-1.2")
    assert finder.sound_cards()[0].id_path == ""
    tree.udev_knows(1, "platform-fe980000.usb-usb-0:1.2:1.0")
    assert finder.sound_cards()[0].id_path == "platform-fe980000.usb-usb-0:1.2:1.0"


def test_what_udev_still_knows_of_the_last_card_of_a_number_is_not_kept(tree: Tree, finder: Finder) -> None:
    tree.usb_card(1, "1-1.3")
    tree.udev_knows(1, "platform-fe980000.usb-usb-0:1.2:1.0")
    assert finder.sound_cards()[0].id_path == "platform-fe980000.usb-usb-0:1.2:1.0"
    tree.udev_knows(1, "platform-fe980000.usb-usb-0:1.3:1.0")
    assert finder.sound_cards()[0].id_path == "platform-fe980000.usb-usb-0:1.3:1.0"


def test_a_machine_without_sound_or_video_has_none(tmp_path: Path) -> None:
    finder = Finder(root=tmp_path)
    assert finder.sound_cards() == []
    assert finder.cameras() == []
    assert finder.signature() == ()


def test_the_signature_changes_with_every_plug(tree: Tree, finder: Finder) -> None:
    seen = {finder.signature()}
    tree.usb_card(1, "1-1.2")
    seen.add(finder.signature())
    tree.unplug("card1")
    tree.usb_card(1, "1-1.3")
    seen.add(finder.signature())
    assert len(seen) == 3


@given(st.text(max_size=300))
def test_no_text_of_the_kernel_is_too_odd(text: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        cards = Path(folder, "proc/asound/cards")
        cards.parent.mkdir(parents=True)
        cards.write_text(text, encoding="utf-8")
        for card in Finder(root=Path(folder)).sound_cards():
            assert card.pcm("capture") is None
