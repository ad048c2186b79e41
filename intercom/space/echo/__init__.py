"""The echo: answers calls to /public/echo and sends the sound back, so that an installer can hear themselves.

Begin with `echo.py`.
"""
