"""The commands of the simulator's README, run as written, with the aws CLI of the suite."""

import os
import subprocess
import sys
from pathlib import Path

import sim

REPOSITORY = Path(__file__).resolve().parents[3]


def test_its_commands_work_and_print_what_it_says(tmp_path):
    # The program is there already: what stands for cargo has nothing to build.
    folder, programs = tmp_path / "repository", tmp_path / "programs"
    (folder / "target/debug").mkdir(parents=True)
    (folder / "target/debug/ec2-sim").symlink_to(Path(os.environ[sim.BINARY]).resolve())
    (folder / "tests").symlink_to(REPOSITORY / "tests")
    programs.mkdir()
    for name, does in [("cargo", "exit 0"), ("aws", f'exec "{sys.executable}" "{Path(sys.executable).with_name("aws")}" "$@"')]:
        (programs / name).write_text(f"#!/bin/sh\n{does}\n")
        (programs / name).chmod(0o755)
    environment = {"PATH": f"{programs}:{os.environ['PATH']}", "HOME": str(tmp_path), "AWS_PAGER": ""}
    done = subprocess.run(
        [sys.executable, REPOSITORY / ".ci/readme", REPOSITORY / "tests/ec2-sim/README.md"],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=300, stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
