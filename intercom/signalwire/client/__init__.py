"""The client: a program's entry point, with its calls, devices, diagnostics and preflight.

Begin with `client.py`.
"""
