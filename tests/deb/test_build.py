"""The .deb for a Raspberry Pi, built on another machine: every file in it fits the Pi."""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

from deb.__main__ import build
from deb.commit import package_version
from deb.environment import BROUGHT, dists
from deb.lock import ROOT
from deb.target import BuildError, Target, here, target
from intercom.media.prompts.prompts import file_name
from intercom.media.prompts.sentences import all_sentences

AARCH64 = 183
"""EM_AARCH64 of the ELF header, 16 bits at byte 18."""

pytestmark = pytest.mark.timeout(900)
"""The first build fetches another Debian's headers and every library."""

needs_tools = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in ("dpkg-deb", "mmdebstrap", "aarch64-linux-gnu-gcc")),
    reason="dpkg-deb, mmdebstrap or aarch64-linux-gnu-gcc is missing: ./setup.sh --test installs them",
)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(target("bookworm", "arm64"), tmp_path_factory.mktemp("deb"), compression="none")


@pytest.fixture(scope="module")
def tree(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package, unpacked, with its control files in DEBIAN/."""
    folder = tmp_path_factory.mktemp("tree")
    subprocess.run(["dpkg-deb", "--raw-extract", package, folder], check=True)
    return folder


@needs_tools
def test_it_is_named_after_the_release_and_the_processor(package: Path) -> None:
    assert package.name == f"intercom_{package_version(ROOT)}+deb12_arm64.deb"


@needs_tools
def test_every_compiled_file_is_for_the_processor_of_a_pi(tree: Path) -> None:
    machines = {}
    for file in tree.rglob("*"):
        if file.is_file() and not file.is_symlink():
            with file.open("rb") as opened:
                head = opened.read(20)
            if head.startswith(b"\x7fELF"):
                machines[file.name] = struct.unpack("<H", head[18:20])[0]
    assert len(machines) > 50
    assert set(machines.values()) == {AARCH64}, machines


@needs_tools
def test_every_compiled_module_is_for_the_python_of_the_release(tree: Path) -> None:
    modules = [file.name for file in tree.rglob("*.cpython-*.so")]
    assert "alsaaudio.cpython-311-aarch64-linux-gnu.so" in modules
    assert {re.search(r"cpython-(\d+)", name)[1] for name in modules} == {"311"}  # type: ignore[index]  # it matches


@needs_tools
def test_the_program_s_own_module_is_compiled_and_its_sources_stay_at_home(tree: Path) -> None:
    (site,) = tree.glob("opt/intercom/lib/python*/site-packages")
    assert [file.name for file in site.glob("intercom/**/*.so")] == ["_native.abi3.so"]
    assert not [*site.glob("intercom/**/*.c"), *site.glob("intercom/**/*.h")]


@needs_tools
def test_the_program_s_own_module_brings_no_piece_of_the_c_library(tree: Path) -> None:
    (module,) = tree.rglob("_native.abi3.so")
    asked = subprocess.run(
        ["readelf", "--dynamic", "--dyn-syms", str(module)], capture_output=True, text=True, check=True
    )
    assert "[libm.so.6]" in asked.stdout
    assert "GLIBC_PRIVATE" not in asked.stdout


@needs_tools
def test_it_depends_on_that_python_and_on_what_its_modules_ask_for(tree: Path) -> None:
    control = (tree / "DEBIAN/control").read_text()
    assert "python3 (>= 3.11), python3 (<< 3.12)" in control
    depends = re.search("^Depends: (.*)$", control, re.MULTILINE)
    assert depends is not None
    assert set(BROUGHT.values()) <= {name.split(" ")[0] for name in depends[1].split(", ")}


@needs_tools
def test_the_environment_runs_the_system_s_python_and_sees_its_packages(tree: Path) -> None:
    place = tree / "opt/intercom"
    assert (place / "bin/python3").readlink() == Path("/usr/bin/python3.11")
    assert "include-system-site-packages = true" in (place / "pyvenv.cfg").read_text()
    assert (tree / "usr/bin/intercom").readlink() == Path("/opt/intercom/bin/intercom")


@needs_tools
def test_a_door_that_cannot_speak_itself_has_every_sentence_from_the_package(tree: Path) -> None:
    (spoken,) = tree.glob("opt/intercom/lib/python*/site-packages/intercom/media/prompts/spoken")
    assert {file.name for file in spoken.iterdir()} == {file_name(*one) for one in all_sentences()}


@needs_tools
def test_everything_belongs_to_root_and_nobody_else_writes_it(package: Path) -> None:
    listed = subprocess.run(["dpkg-deb", "--contents", package], capture_output=True, text=True, check=True).stdout
    for line in listed.splitlines():
        mode, owner = line.split()[:2]
        assert owner == "root/root", line
        assert mode.startswith("l") or "w" not in mode[5:], line


@needs_tools
def test_the_scripts_of_the_package_are_whole(tree: Path) -> None:
    for name in ("preinst", "postinst", "prerm", "postrm"):
        script = tree / "DEBIAN" / name
        assert "# (shared)" not in script.read_text()
        subprocess.run(["sh", "-n", script], check=True)


@needs_tools
def test_its_bill_of_materials_names_every_library_in_it_and_what_each_needs(tree: Path) -> None:
    bill = json.loads((tree / "usr/share/doc/intercom/sbom.cdx.json").read_text())
    assert (bill["bomFormat"], bill["specVersion"], bill["version"]) == ("CycloneDX", "1.6", 1)
    there = {
        (str(dist["Name"]), str(dist["Version"])) for dist in dists(tree / "opt/intercom/lib/python3.11/site-packages")
    }
    assert {(one["name"], one["version"]) for one in bill["components"]} == there
    assert {("aiortc", "1.16.0"), ("pyalsaaudio", "0.11.0")} <= there
    for one in bill["components"]:
        assert one["type"] == "library"
        assert re.fullmatch(r"pkg:pypi/[a-z0-9-]+@[\w.]+", one["purl"])
        assert one["licenses"]
    refs = {"intercom", *(one["bom-ref"] for one in bill["components"])}
    needs = {one["ref"]: set(one["dependsOn"]) for one in bill["dependencies"]}
    assert needs.keys() == refs
    assert set().union(*needs.values()) <= refs
    assert "pkg:pypi/aiortc@1.16.0" in needs["intercom"]
    assert any(ref.startswith("pkg:pypi/pylibsrtp@") for ref in needs["pkg:pypi/aiortc@1.16.0"])


@pytest.mark.parametrize(
    ("suite", "arch", "said"), [("jessie", None, "SUITE=jessie is not known"), (None, "mips", "ARCH=mips is not known")]
)
def test_what_it_cannot_be_built_for_is_named(suite: str | None, arch: str | None, said: str) -> None:
    if here() is None:
        suite, arch = suite or "bookworm", arch or "amd64"
    with pytest.raises(BuildError, match=said):
        target(suite, arch)


def test_wheels_for_a_newer_system_than_the_release_are_not_taken() -> None:
    bookworm: Target = target("bookworm", "arm64")
    assert "manylinux_2_36_aarch64" in bookworm.wheel_platforms
    assert "manylinux_2_39_aarch64" not in bookworm.wheel_platforms
