"""Finds the image sensor behind a media device: it shows a camera on a ribbon cable without libcamera.

libcamera lists the same sensors, after a second and 40 MB of imports. Numbers: linux/media.h.
"""

from __future__ import annotations

import fcntl
import os
import struct

_ENUM_ENTITIES = 0xC1007C01
"""Request number of _IOWR('|', 0x01, struct media_entity_desc)."""
_ENTITY_SIZE = 256
_NEXT = 1 << 31
"""Flag MEDIA_ENT_ID_FLAG_NEXT."""
_NAME = slice(4, 36)
_TYPE_OFFSET = 36
_SENSOR = 0x00020001
"""Entity type MEDIA_ENT_F_CAM_SENSOR."""
_MOST_ENTITIES = 256
"""Limit of entities read from a media device; a Pi 5 has some forty."""


def sensor_name(device: str) -> str | None:
    """Return the name of the first image sensor behind a media device file; None if there is none."""
    try:
        fd = os.open(device, os.O_RDWR | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        number = 0
        for _ in range(_MOST_ENTITIES):
            entity = fcntl.ioctl(fd, _ENUM_ENTITIES, struct.pack("=I", number | _NEXT).ljust(_ENTITY_SIZE, b"\0"))
            (number,) = struct.unpack_from("=I", entity)
            (kind,) = struct.unpack_from("=I", entity, _TYPE_OFFSET)
            if kind == _SENSOR:
                return entity[_NAME].split(b"\0")[0].decode(errors="replace")
    except OSError:  # that was the last one
        return None
    finally:
        os.close(fd)
    return None
