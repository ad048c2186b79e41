"""The checks of an installation: the doctor, a test call, the sound, and the bundle for a bug report.

Begin with `doctor.py`.
"""
