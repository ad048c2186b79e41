"""Sound and picture of the door: card, engine, tones, echo, codecs, camera, and a call's peer connection.

Begin with `provider.py`, then `sound/engine.py` and `rtp/peer.py`.
"""
