"""Builds the .deb: the program, its Python environment and the system's files for one Debian release and processor.

One package for each release and processor, because each release has one Python and compiled modules fit only that.
The environment lies in /opt/intercom, ready to run: nothing is fetched or compiled on the door but bytecode.
"""
