"""The unit tests of every part on a Pi's processor, under qemu-user: `python -m tests.arm.units [PART …]`."""
