"""The station: the web page on which the house answers the door; static files, served by the space at /station/.

Begin with `station.js`.
"""

from pathlib import Path

DIRECTORY = Path(__file__).parent
"""Directory of index.html and all files that it loads; serve the files named by `ASSETS` and nothing else."""

ASSETS = (
    "alerts.js",
    "call.js",
    "device.js",
    "directory.js",
    "doors.js",
    "face.js",
    "icon.svg",
    "index.html",
    "invite.js",
    "kept.js",
    "keys.js",
    "lock.js",
    "meters.js",
    "microphone.js",
    "moving.js",
    "notifications.js",
    "offline.js",
    "pairing.js",
    "peer.js",
    "picture.js",
    "players.js",
    "push.js",
    "rings.js",
    "room.js",
    "settings.js",
    "signalling.js",
    "sounds.js",
    "station.css",
    "station.js",
    "station.webmanifest",
    "steps.js",
    "view.js",
    "walk.js",
    "words.js",
)
"""Every file of the page, by name."""
