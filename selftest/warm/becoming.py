"""Makes a forked process what a fresh interpreter would be: `python -m MODULE ...`, or a worker of pytest-xdist."""

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
import tempfile
import threading
import traceback
import types
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from execnet import gateway_io

FORKED = ("fixtures", "fixtures.probe", "embedded", "pytest")
"""What a command that was forked starts as forks of itself in its turn, beside the workers of pytest-xdist."""

_given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
_LIBRARIES = [path for path in sys.path if path and path not in _given]
_FINDERS = tuple(sys.meta_path)
_ROOT = Path(__file__).resolve().parents[2]
_preloaded: set[str] = set()
"""The names of the modules that were there as the command began, once it has begun."""


def become(module: str, arguments: Sequence[str], environment: Mapping[str, str], descriptors: Sequence[int]) -> int:
    """Run a module as the whole of this process, and return the exit code; nothing of the process before remains.

    Args:
        module: The name of the module or package.
        arguments: The words behind it.
        environment: The whole environment.
        descriptors: The open files to keep, beside standard input, output and error.
    """
    _begin_anew(environment, descriptors)
    sys.argv[:] = [module, *arguments]
    if Path("fixtures").is_dir() and not Path("fixtures").samefile(_ROOT / "fixtures"):
        _forget_imports()  # in a copy of the project its own modules are imported
    _preloaded.update(sys.modules)
    return _run(functools.partial(runpy.run_module, module, run_name="__main__", alter_sys=True))


def become_worker(environment: Mapping[str, str], descriptors: Sequence[int]) -> int:
    """Run a worker of pytest-xdist as the whole of this process, and return the exit code.

    Args:
        environment: The whole environment.
        descriptors: The open files to keep, beside standard input, output and error.
    """
    _begin_anew(environment, descriptors)
    sys.argv[:] = ["-c"]
    _forget_imports()
    return _run(functools.partial(_run_code, gateway_io.popen_bootstrapline))


def _begin_anew(environment: Mapping[str, str], descriptors: Sequence[int]) -> None:
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
    tempfile.tempdir = None  # TMPDIR may be another one
    sys.path[:] = [str(Path.cwd()), *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep)), *_LIBRARIES]
    if (xdist := sys.modules.get("xdist.plugin")) is not None:
        xdist._sys_path[:] = sys.path  # as it was at start: xdist hands it to its workers
    _open_standard_streams()


def _forget_imports() -> None:
    """Forget the modules that are no library's and were not there as the command began: some of them hold state."""
    sys.meta_path[:] = _FINDERS
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if name not in _preloaded and file and not file.startswith(tuple(_LIBRARIES)):
            del sys.modules[name]


def _run_code(code: str) -> None:
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    exec(code, vars(main))  # noqa: S102  # what `python -c` does


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


def _run(main: Callable[[], object]) -> int:
    code: Any = 0
    try:
        main()
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
    """subprocess.Popen, which forks where all that the command imports is imported here already."""

    def __init__(self, args: Any, *more: Any, **options: Any) -> None:
        words = list(args) if isinstance(args, (list, tuple)) else []
        becoming = _becoming(words)
        if becoming is not None and "preexec_fn" not in options:
            given = options.get("env")
            environment = dict(os.environ if given is None else given)
            # What is called between fork and exec never returns, so that nothing is executed.
            options["preexec_fn"] = functools.partial(_replace, becoming, environment, options.get("pass_fds", ()))
        super().__init__(args, *more, **options)


Becoming = Callable[[Mapping[str, str], Sequence[int]], int]


def _becoming(words: Sequence[str]) -> Becoming | None:
    """Return what makes a fork what a command line asks for; None where it has to be executed."""
    if words[:1] != [sys.executable]:
        return None
    if words[1:2] == ["-m"] and words[2] in FORKED:
        return functools.partial(become, words[2], words[3:])
    return become_worker if words[-1] == gateway_io.popen_bootstrapline else None


def _replace(becoming: Becoming, environment: Mapping[str, str], kept: Sequence[int]) -> None:
    os._exit(becoming(environment, kept))
