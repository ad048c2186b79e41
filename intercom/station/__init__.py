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
    "icon.svg",
    "index.html",
    "invite.js",
    "kept.js",
    "keys.js",
    "meters.js",
    "microphone.js",
    "offline.js",
    "peer.js",
    "room.js",
    "settings.js",
    "signalling.js",
    "sounds.js",
    "station.css",
    "station.js",
    "station.webmanifest",
    "view.js",
    "words.js",
)
"""Every file of the page, by name."""
