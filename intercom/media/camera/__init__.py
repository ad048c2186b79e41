"""The camera: its sources, its encoders, and the one camera that all consumers share.

Begin with `shared.py`.
"""
