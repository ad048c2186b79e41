"""The space's TURN server: runs coturn, and lets it relay for members and to doors alone.

Begin with `coturn.py`.
"""
