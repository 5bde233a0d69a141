"""Install an image's packages into a virtual environment, by pip."""

import asyncio
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

from embedded.runtime import signals
from embedded.runtime.image_folders import BuildError, Image
from embedded.runtime.init import contained

Progress = Callable[[str], None]
"""A function that is called with each line about the progress of a build."""

WHEELS = "TOUCHSTONE_WHEELS"
OUTPUT_LINES = 15
NETWORK_WORDS = re.compile(
    r"NewConnectionError|Temporary failure in name resolution|Network is unreachable|ConnectTimeoutError|"
    r"Failed to establish|Could not fetch|No matching distribution found|ProxyError|Max retries exceeded"
)


async def install(image: Image, folder: Path, progress: Progress) -> None:
    """Make an image's virtual environment in a folder, with the packages that it pins.

    Raises:
        BuildError: The environment cannot be made, or a package cannot be installed.
    """
    progress(f"image {image.name}: building its environment (once; {_count(image.requirements)} packages)")
    code, output = await _run(sys.executable, "-m", "venv", str(folder))
    if code:
        raise BuildError(f"image {image.name}: cannot make a virtual environment:\n{_tail(output)}")
    options = ["--disable-pip-version-check", "--no-input", "--progress-bar=off"]
    wheels = os.environ.get(WHEELS)
    if wheels:
        options += ["--no-index", "--find-links", wheels]
    python = str(folder / "bin" / "python")
    code, output = await _run(
        python, "-m", "pip", "install", *options, "--no-deps", "-r", str(image.requirements),
        each_line=lambda line: _progress_line(image.name, line, progress),
    )  # fmt: skip
    if code:
        hint = ""
        if NETWORK_WORDS.search(output):
            hint = (
                "\nNo package index in reach? On a machine with one: "
                f"pip download -d WHEELS -r {image.requirements}\nthen set {WHEELS}=WHEELS here."
            )
        if wheels:
            hint = f"\n{WHEELS}={wheels} was the only place searched."
        raise BuildError(f"image {image.name}: pip failed with exit status {code}:\n{_tail(output)}{hint}")


def point_scripts_at(built: Path, target: Path) -> None:
    """Make scripts name their interpreter by the path that it has after the renaming."""
    for script in (built / "bin").iterdir():
        if script.is_file() and not script.is_symlink():
            text = script.read_bytes()
            if text.startswith(b"#!") or script.name.startswith("activate"):
                script.write_bytes(text.replace(str(built).encode(), str(target).encode()))


async def _run(*command: str, each_line: Callable[[str], None] | None = None) -> tuple[int, str]:
    """Run a command to its end; return its exit status and its output, standard error included.

    No process of it outlives this call or this process: it runs as containers do.
    """
    process = await asyncio.create_subprocess_exec(
        *contained(command),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=1024 * 1024,
        start_new_session=True,
    )
    if process.stdout is None:
        raise AssertionError("standard output was asked for as a pipe")
    lines = []
    try:
        async for line in process.stdout:
            lines.append(line.decode(errors="replace"))
            if each_line:
                each_line(lines[-1].rstrip())
        return await process.wait(), "".join(lines)
    finally:
        await signals.end(process)


def _progress_line(name: str, line: str, progress: Progress) -> None:
    if line.startswith(("Collecting ", "Installing collected packages")):
        progress(f"image {name}: {line[:100]}")


def _tail(output: str) -> str:
    return "\n".join(output.strip().splitlines()[-OUTPUT_LINES:])


def _count(requirements: Path) -> int:
    return sum(1 for line in requirements.read_text().splitlines() if line.strip() and not line.startswith("#"))
