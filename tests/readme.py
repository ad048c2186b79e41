"""What the README tells a reader to type, and the test that runs each of it."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
PACKAGE = "tests/hardware/test_package.py::test_every_command_that_the_readme_tells_an_installer_to_type_works"
STARTS_AT_BOOT = "tests/hardware/test_station.py::test_it_registers_by_itself_from_the_kernel_s_start"
RUN_BY = {
    "make": "tests/test_make.py::test_make_alone_lists_what_there_is",
    "make demo": "tests/test_make.py::test_the_first_command_of_the_readme_serves_both_pages_until_ctrl_c",
    "make demo LAN=1": "tests/cli/test_demo.py::test_on_the_network_it_serves_tls_with_its_own_certificate",
    "make test": ".ci/run",
    "make deb": "tests/deb/test_build.py::test_the_scripts_of_the_package_are_whole",
    "make chaos": "tests/hardware/test_chaos.py::"
    "test_three_minutes_of_chaos_leave_nothing_behind_and_nothing_unexplained",
    "sudo make install": STARTS_AT_BOOT,
    "sudo intercom setup": "tests/setup/test_apply.py::"
    "test_a_newcomer_who_only_presses_enter_gets_a_door_that_phones_can_answer",
    "sudo intercom space pair --name Kitchen": PACKAGE,
    "sudo intercom doctor": PACKAGE,
    "sudo systemctl stop intercom": PACKAGE,
    "sudo intercom audio test --store": PACKAGE,
    "sudo systemctl start intercom": PACKAGE,
    "intercom status": PACKAGE,
    "intercom watch": PACKAGE,
    "intercom calls": PACKAGE,
    "intercom metrics": "tests/door/health/test_metrics.py::test_the_figures_follow_the_door",
    "sudo intercom ssh-key add anna.pub --role operator": PACKAGE,
    "ssh intercom@door status": "tests/control/test_sshd.py::test_a_viewer_sees_the_status",
    ".venv/bin/intercom run --config intercom.toml": "tests/service/test_run.py::"
    "test_the_door_is_ready_before_it_is_registered_tells_its_state_is_alive_and_stops",
}
"""A command and its test; a script stands for itself. What Debian's own programs do (apt) is not ours to test."""
_COMMAND = r"(?:(?:sudo )?(?:make|intercom|systemctl)|ssh|\.venv/bin/intercom)(?: [^`\n]*)?"


def commands() -> list[str]:
    """Every command in the README, in its blocks and in its sentences."""
    blocks = re.findall(rf"^ {{4,}}({_COMMAND})$", README, re.MULTILINE)
    spans = re.findall(rf"(?<!`)`({_COMMAND})`", README)
    return [*dict.fromkeys([*blocks, *spans])]
