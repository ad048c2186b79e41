"""The program on aarch64, on a machine that need not be one: under qemu-user, and on a machine of QEMU's."""
