"""The panel whose pins are simulated: a web page with a button, lights and a door.

Begin with `page.py`.
"""
