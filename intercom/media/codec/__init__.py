"""The codecs of a call: Opus and G.711 for sound, and H.264 as cameras deliver it.

Begin with `interface.py`.
"""
