"""The station: the web page on which the house answers the door; static files, served by the space at /station/.

`join/` brings a device into the house, `house/` reaches it, `call/` is a call with the door, `picture/` what is seen of
the visitor, `alerts/` how the device rings. The service worker `offline.js` lies beside the page: that is its scope.

Begin with `station.js`.
"""

from pathlib import Path

DIRECTORY = Path(__file__).parent
"""Directory of index.html and all files that it loads."""
