"""A container that was forked is what it would be as a fresh interpreter; one that could differ is no fork."""

import asyncio
import contextlib
import json
import os
import signal
from pathlib import Path
from typing import Any

import pytest
import yaml

from embedded.api.errors import ApiError
from embedded.api.resources import POD
from embedded.controllers.components import NAME_VARIABLE
from embedded.runtime.environment import SHIM, Launch
from embedded.runtime.forkserver import Order
from embedded.runtime.image_folders import BrokenImageError, Warm
from embedded.runtime.images import Images
from embedded.runtime.warm import common_environment
from fixtures.reading.files import ROOT
from selftest.embedded_platform.test_processes import alive, container, is_ready

pytestmark = pytest.mark.anyio

ORDER = b"".join(text + b"\0" for text in (b"2", b"1", b"/work", b"python", b"-m", b"NAME=a=\xff"))
MODULE = 'command = ["python", "-m", "work"]\n'
WARM = '[warm]\nimports = ["colorsys", "asyncio"]\nvariables = ["OWN"]\n'
SAYS = """
import colorsys, json, os, signal, sys, threading
print(json.dumps({
    "argv": sys.argv,
    "name": __name__,
    "spec": __spec__.name,
    "main": sys.modules["__main__"].__dict__ is globals(),
    "cwd": os.getcwd(),
    "path": sys.path,
    "env": dict(os.environ) | {"POD_IP": "", "HOSTNAME": ""},
    "open": sorted(os.listdir("/proc/self/fd")),
    "input": os.readlink("/proc/self/fd/0"),
    "leads": os.getpgid(0) == os.getpid(),
    "threads": threading.active_count(),
    "signals": [str(signal.getsignal(number)) for number in (2, signal.SIGTERM, signal.SIGCHLD, signal.SIGPIPE)],
    "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
    "foreign": [name for name in sys.modules if name in ("forkserver", "runpy_", "embedded")],
}), flush=True)
print("to the user", file=sys.stderr, flush=True)
"""
FORKED = "import os\nprint('forked' if 'forkserver' in open('/proc/self/cmdline').read() else 'fresh', flush=True)\n"
WAITS = "import time\ntime.sleep(600)\n"
ENDS = {
    "returns": ("pass", 0),
    "exits": ("import sys; sys.exit(7)", 7),
    "says-why": ("import sys; sys.exit('because')", 1),
    "raises": ("raise ValueError('because')", 1),
    "at-exit": ("import atexit; atexit.register(print, 'because')", 0),
    "is-killed": ("import os; os.kill(os.getpid(), 9)", 137),
}


def image(workshop: Any, name: str, code: str, warm: str = WARM, command: str = MODULE) -> str:
    made: str = workshop.image(name, code)
    folder = workshop.images.resolve(name).folder
    (folder / "image.toml").write_text(command + warm)
    return made


async def ended(node: Any, name: str = "pod") -> tuple[int, str]:
    status = await node.until(lambda seen: "terminated" in container(seen)["state"], name, within=30)
    return container(status)["state"]["terminated"]["exitCode"], await node.log(name)


async def test_a_fork_is_what_its_command_line_makes_it(node: Any, workshop: Any) -> None:
    told = {}
    for name, warm in (("fresh", ""), ("forked", WARM)):
        made = image(workshop, name, FORKED + SAYS, warm)
        given = {"args": ["--one", "two"], "env": [{"name": "OWN", "value": "1"}], "pod": {"restartPolicy": "Never"}}
        node.run(made, name, command=["python", "-m", "work"], **given)
        code, log = await ended(node, name)
        how, facts, *rest = log.splitlines()
        assert (code, how, rest) == (0, name, ["to the user"])
        told[name] = json.loads(facts.replace(str(workshop.images.resolve(name).folder), "FOLDER"))
    assert told["forked"] == told["fresh"]


@pytest.mark.parametrize("warm", ["", WARM], ids=["fresh", "forked"])
@pytest.mark.parametrize(("code", "status"), ENDS.values(), ids=ENDS)
async def test_it_ends_as_the_interpreter_does(node: Any, workshop: Any, warm: str, code: str, status: int) -> None:
    node.run(image(workshop, "ends", FORKED + code, warm), pod={"restartPolicy": "Never"})
    got, log = await ended(node)
    assert got == status
    assert log.splitlines()[0] == ("forked" if warm else "fresh")
    assert ("because" in log) is ("because" in code)
    assert ("Traceback" in log) is ("raise" in code)


async def test_a_missing_module_is_told_as_by_the_interpreter(node: Any, workshop: Any) -> None:
    node.run(image(workshop, "missing", "", command='command = ["python", "-m", "nowhere"]\n'),
             pod={"restartPolicy": "Never"})  # fmt: skip
    code, log = await ended(node)
    assert code == 1
    assert "No module named nowhere" in log


async def test_the_shim_reaches_what_was_imported_before(node: Any, workshop: Any) -> None:
    code = (
        "import asyncio\n"
        "async def main():\n"
        "    server = await asyncio.start_server(lambda r, w: None, '0.0.0.0', 28418)\n"
        "    print(server.sockets[0].getsockname()[0], flush=True)\n"
        "    await server.serve_forever()\n"
        "asyncio.run(main())\n"
    )
    node.run(image(workshop, "server", FORKED + code, "readiness = { port = 28418 }\n" + WARM))
    status = await node.until(is_ready, within=30)
    assert (await node.log()).splitlines() == ["forked", status["podIP"]]


async def test_sigterm_goes_to_the_command_and_what_it_left_is_killed(node: Any, workshop: Any, tmp_path: Path) -> None:
    code = (
        "import signal, subprocess, sys\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        "def end(*_):\n"
        f"    open({str(tmp_path / 'ended')!r}, 'w').write(str(child.pid))\n"
        "    sys.exit(3)\n"
        "signal.signal(signal.SIGTERM, end)\n"
        "print('up', flush=True)\n"
    )
    node.run(image(workshop, "polite", FORKED + code + WAITS))
    await node.until(is_ready, within=30)
    await _logged(node, "up")
    node.store.delete(POD, "default", "pod")
    await node.gone(within=10)
    left = int((tmp_path / "ended").read_text())
    await _until(lambda: not alive(left))


async def test_who_ignores_sigterm_is_killed(node: Any, workshop: Any) -> None:
    code = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nprint(os.getpid(), flush=True)\n"
    node.run(image(workshop, "deaf", FORKED + code + WAITS), pod={"terminationGracePeriodSeconds": 1})
    pid = int((await _logged(node, ""))[1])
    assert alive(pid)
    node.store.delete(POD, "default", "pod")
    await node.gone(within=10)
    assert not alive(pid)


async def test_a_container_goes_with_its_init_and_with_its_server(node: Any, workshop: Any) -> None:
    code = "print(os.getpid(), os.getppid(), flush=True)\n"
    node.run(image(workshop, "one", FORKED + code + WAITS))
    pid, server = map(int, (await _logged(node, ""))[1].split())
    os.kill(next(iter(node.kubelet.pods("default"))).containers["main"].pid, signal.SIGKILL)
    await _until(lambda: not alive(pid))
    await node.until(lambda seen: container(seen)["restartCount"] == 1 and is_ready(seen), within=30)
    how, again = await _logged(node, "")
    assert how == "forked"
    os.kill(server, signal.SIGKILL)
    await _until(lambda: not alive(int(again.split()[0])))
    await node.until(lambda seen: container(seen)["restartCount"] == 2 and is_ready(seen), within=30)
    assert (await _logged(node, ""))[0] == "fresh"
    assert "has ended" in await node.log(previous=True)


async def test_imports_that_fail_cost_one_start_at_most(node: Any, workshop: Any) -> None:
    node.run(image(workshop, "broken", FORKED + WAITS, '[warm]\nimports = ["no_such_module"]\n'))
    assert await _logged(node, "fresh") == ["fresh"]
    status = await node.until(is_ready, within=30)
    # None where the server of the image had ended before it was asked to fork.
    assert container(status)["restartCount"] <= 1


COMMANDS = {
    "module": (("python", "-m", "model"), {}, True),
    "own-variable": (("python", "-m", "model", "--x"), {"OWN": "1"}, True),
    "other-variable": (("python", "-m", "model"), {"OTHER": "1"}, False),
    "file": (("python", "model.py"), {}, False),
    "other-interpreter": (("/usr/bin/python3", "-m", "model"), {}, False),
    "interpreter-option": (("python", "-O", "-m", "model"), {}, False),
    "own-path": (("python", "-m", "model"), {"PYTHONPATH": f"{SHIM}:/x"}, False),
    "buffered": (("python", "-m", "model"), {"PYTHONUNBUFFERED": ""}, False),
}


@pytest.mark.parametrize(("argv", "more", "forked"), COMMANDS.values(), ids=COMMANDS)
def test_only_what_cannot_differ_is_forked(argv: tuple[str, ...], more: dict[str, str], *, forked: bool) -> None:
    base = {"PYTHONPATH": str(SHIM), "PYTHONUNBUFFERED": "1", "VIRTUAL_ENV": "/e", "PATH": "/e/bin:/bin", "LANG": "C"}
    pods = {"HOME": "/h", "HOSTNAME": "pod", "POD_IP": "127.1.1.1"}
    launch = Launch(argv, Path("/"), base | pods | more, inherited=frozenset({"LANG"}))
    expected = base if forked else None
    assert common_environment(Warm(("json",), ("OWN",)), launch) == expected


WRONG = {
    "no-table": 'warm = "x"',
    "no-imports": "[warm]",
    "a-text": '[warm]\nimports = "x"',
    "a-number": "[warm]\nimports = []\nvariables = [1]",
}


@pytest.mark.parametrize("table", WRONG.values(), ids=WRONG)
def test_a_description_that_is_wrong_is_told(workshop: Any, table: str) -> None:
    workshop.image("wrong", "")
    (workshop.images.resolve("wrong").folder / "image.toml").write_text(MODULE + table)
    with pytest.raises(BrokenImageError, match=r"image.toml: warm: expected imports = \[NAME, ...\]"):
        workshop.images.resolve("wrong")


async def _until(condition: Any, within: float = 60.0) -> None:
    async with asyncio.timeout(within):
        while not condition():  # noqa: ASYNC110 -- other processes set no event of ours
            await asyncio.sleep(0.02)


async def _logged(node: Any, word: str) -> list[str]:
    """Return the lines of a log, once it has two of them, or a word."""
    lines: list[str] = []
    async with asyncio.timeout(30):
        while not (word in lines if word else len(lines) > 1):
            await asyncio.sleep(0.02)
            with contextlib.suppress(ApiError):  # nothing has been started yet
                lines = (await node.log()).splitlines()
    return lines


@pytest.mark.parametrize("name", ["msg-transformer", "mnist-predictor", "open-inference", "serving"])
def test_images_that_import_much_know_the_variables_of_the_documented_pipelines(name: str) -> None:
    warm = Images(ROOT / "images", ROOT).resolve(name).warm
    assert warm is not None
    files = (ROOT / "manifests" / "pipelines").glob("*/base/*.yaml")
    containers = [
        found for file in files for made in yaml.safe_load_all(file.read_text()) for found in _containers(made)
    ]
    used = [found for found in containers if found["image"].rpartition("/")[2].partition(":")[0] == name]
    given = {variable["name"] for found in used for variable in found.get("env", ())}
    assert given <= {*warm.variables}
    if name != "serving":
        assert NAME_VARIABLE in warm.variables


def _containers(value: Any) -> list[dict[str, Any]]:
    """Return all that has an image, anywhere in a manifest."""
    parts = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else []
    own = [value] if isinstance(value, dict) and isinstance(value.get("image"), str) else []
    return own + [found for part in parts for found in _containers(part)]


async def test_an_order_is_read_whole_or_not_at_all() -> None:
    assert Order.read(ORDER) == Order("/work", ["python", "-m"], {"NAME": "a=\udcff"})
    assert {Order.read(ORDER[:end]) for end in range(len(ORDER))} == {None}
