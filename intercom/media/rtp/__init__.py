"""A call's connection: session descriptions, packets out, and packets in through the jitter buffer.

Begin with `peer.py`.
"""
