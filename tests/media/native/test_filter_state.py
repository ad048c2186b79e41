"""What no sound of a test's brings about in the linear filter is put into its memory, in C."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from deb.lock import ROOT

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="gcc is missing")
FOLDER = ROOT / "intercom/media/native"
SOUND = """
#include <stdio.h>
#include "mdf.c"
static int16_t far[MDF_BLOCK], near[MDF_BLOCK], left[MDF_BLOCK];
static void hear(struct mdf *mdf, int blocks, int loud) {
    static unsigned random = 1;
    for (int block = 0; block < blocks; block++) {
        for (int i = 0; i < MDF_BLOCK; i++) {
            random = random * 1103515245 + 12345;
            near[i] = far[i] = (int16_t)(loud * ((int)(random >> 16 & 0x7fff) - 16384) / 16384);
        }
        mdf_process(mdf, near, far, left, 1);
    }
}
"""


def said(tmp_path: Path, main: str) -> list[str]:
    """What a program prints that has the filter's own source in it."""
    source, program = tmp_path / "state.c", tmp_path / "state"
    source.write_text(SOUND + main)
    others = [str(FOLDER / name) for name in ("fft.c", "learning_rate.c")]
    command = ["gcc", "-std=gnu11", "-O1", f"-I{FOLDER}", str(source), *others, "-lm", "-o", str(program)]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return subprocess.run([program], check=True, capture_output=True, text=True, timeout=60).stdout.splitlines()


def test_numbers_that_are_none_are_gone_after_one_silent_block(tmp_path: Path) -> None:
    main = """
    int main(void) {
        struct mdf *mdf = mdf_create();
        hear(mdf, 300, 8000);
        mdf->weights[3][5].background.re[0] = NAN;
        mdf->background_power[5][0] = NAN;
        hear(mdf, 2, 8000);
        for (int j = 0; j < MDF_PARTITIONS; j++)
            if (!isfinite(mdf->shares[j]))
                puts("a share is no number");
        hear(mdf, 300, 8000);
        float left_of = 0, heard = 0;
        for (int i = 0; i < MDF_BLOCK; i++)
            left_of += (float)left[i] * left[i], heard += (float)near[i] * near[i];
        puts(left_of > 0 && left_of < heard / 100 ? "the echo is taken away" : "the echo stays");
    }
    """
    assert said(tmp_path, main) == ["the echo is taken away"]


def test_a_long_silence_leaves_no_number_with_which_processors_are_slow(tmp_path: Path) -> None:
    main = """
    static void look(const char *name, float number) {
        if (fpclassify(number) == FP_SUBNORMAL)
            puts(name);
    }
    int main(void) {
        struct mdf *mdf = mdf_create();
        hear(mdf, 300, 8000);
        for (int block = 0; block < 6000; block++) {
            hear(mdf, 1, 0);
            look("the fast lead's mean", mdf->fast.mean);
            look("the fast lead's variance", mdf->fast.variance);
            look("the slow lead's mean", mdf->slow.mean);
            look("the slow lead's variance", mdf->slow.variance);
        }
    }
    """
    assert said(tmp_path, main) == []
