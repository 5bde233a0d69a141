"""Makes a forked process what a fresh interpreter would be that runs a module: `python -m MODULE ...`."""

import atexit
import contextlib
import faulthandler
import functools
import gc
import io
import logging
import os
import runpy
import signal
import subprocess
import sys
import threading
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

FORKED = ("fixtures.probe", "embedded")
"""What a command that was forked starts as forks of itself in its turn: the two children of a run."""

_given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
_LIBRARIES = [path for path in sys.path if path and path not in _given]


def become(module: str, arguments: Sequence[str], environment: Mapping[str, str], descriptors: Sequence[int]) -> int:
    """Run a module as the whole of this process, and return the exit code; nothing of the process before remains.

    Args:
        module: The name of the module or package.
        arguments: The words behind it.
        environment: The whole environment.
        descriptors: The open files to keep, beside standard input, output and error.
    """
    gc.freeze()  # objects of the process before are not collected: they may hold threads that are not here
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    faulthandler.disable()
    logging.root.handlers.clear()
    atexit._clear()
    _close_all_but(descriptors)
    os.environ.clear()
    os.environ.update(environment)
    sys.path[:] = [str(Path.cwd()), *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep)), *_LIBRARIES]
    sys.argv[:] = [module, *arguments]
    _open_standard_streams()
    return _run(module)


def _open_standard_streams() -> None:
    """Put text files over the three descriptors, in the place of those before; what is said is said at once."""
    given, said, errors = (io.FileIO(number, mode, closefd=False) for number, mode in ((0, "r"), (1, "w"), (2, "w")))
    sys.stdin = sys.__stdin__ = io.TextIOWrapper(io.BufferedReader(given), "utf-8")  # type: ignore[misc]
    sys.stdout = sys.__stdout__ = io.TextIOWrapper(said, "utf-8", write_through=True)  # type: ignore[misc]
    sys.stderr = sys.__stderr__ = io.TextIOWrapper(  # type: ignore[misc]
        io.BufferedWriter(errors), "utf-8", "backslashreplace", line_buffering=True
    )


def _close_all_but(descriptors: Sequence[int]) -> None:
    kept = sorted({0, 1, 2, *descriptors})
    for one, other in zip(kept, [*kept[1:], os.sysconf("SC_OPEN_MAX")], strict=True):
        os.closerange(one + 1, other)


def _run(module: str) -> int:
    code: Any = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as error:
        code = error.code
    except KeyboardInterrupt:
        traceback.print_exc()
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.kill(os.getpid(), signal.SIGINT)
    except BaseException:  # noqa: BLE001  # as an interpreter does at its end
        traceback.print_exc()
        code = 1
    if code is not None and not isinstance(code, int):
        sys.stderr.write(f"{code}\n")
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]  # waits for the other threads, as an interpreter does
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # its reader is gone, or the module has closed it
            stream.flush()
    return code or 0


class ForkingPopen(subprocess.Popen[Any]):
    """subprocess.Popen, which forks where the command is a module of ours that is imported here already."""

    def __init__(self, args: Any, *more: Any, **options: Any) -> None:
        words = list(args) if isinstance(args, (list, tuple)) else []
        if words[:2] == [sys.executable, "-m"] and words[2] in FORKED and "preexec_fn" not in options:
            given = options.get("env")
            environment = dict(os.environ if given is None else given)
            # What is called between fork and exec never returns, so that nothing is executed.
            options["preexec_fn"] = functools.partial(
                _replace, words[2], words[3:], environment, options.get("pass_fds", ())
            )
        super().__init__(args, *more, **options)


def _replace(module: str, arguments: Sequence[str], environment: Mapping[str, str], kept: Sequence[int]) -> None:
    subprocess.Popen = _HONEST  # type: ignore[misc]
    os._exit(become(module, arguments, environment, kept))


_HONEST = subprocess.Popen
