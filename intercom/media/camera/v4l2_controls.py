"""The two V4L2 controls that matter in a call. Numbers: linux/videodev2.h and linux/v4l2-controls.h."""

from __future__ import annotations

import fcntl
import logging
import os
import struct

log = logging.getLogger(__name__)

BITRATE = 0x00990900 + 207
"""Control V4L2_CID_MPEG_VIDEO_BITRATE, bits a second."""
FORCE_KEYFRAME = 0x00990900 + 229
"""Control V4L2_CID_MPEG_VIDEO_FORCE_KEY_FRAME."""

_VIDIOC_S_CTRL = 0xC008561C
"""Request number of _IOWR('V', 28, struct v4l2_control)."""
_VIDIOC_QUERYCAP = 0x80685600
"""Request number of _IOR('V', 0, struct v4l2_capability)."""
_CAPABILITY_SIZE = 104
_DEVICE_CAPS_OFFSET = 88
"""Offset of the device capabilities: after driver, card and bus_info (16 + 32 + 32), version and capabilities (4 +
4)."""
_VIDEO_CAPTURE = 0x00000001
_CARD = slice(16, 48)


def set_control(fd: int, control: int, value: int) -> bool:
    """Set a control of an open V4L2 device; returns whether the device has it."""
    try:
        fcntl.ioctl(fd, _VIDIOC_S_CTRL, struct.pack("=Ii", control, value))
    except OSError as error:
        log.debug("V4L2 control %#x was refused: %s", control, error)
        return False
    return True


def camera_name(device: str) -> str | None:
    """Return the name of the camera behind a device file; None if the file is absent or no camera."""
    try:
        fd = os.open(device, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        capability = fcntl.ioctl(fd, _VIDIOC_QUERYCAP, bytes(_CAPABILITY_SIZE))
    except OSError:
        return None
    finally:
        os.close(fd)
    (device_caps,) = struct.unpack_from("=I", capability, _DEVICE_CAPS_OFFSET)
    if not device_caps & _VIDEO_CAPTURE:
        return None
    return capability[_CARD].split(b"\0")[0].decode(errors="replace")
