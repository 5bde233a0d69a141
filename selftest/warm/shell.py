"""Commands of a shell that are forks: functions in the place of `pytest` and `python` ask for them over a socket."""

import json
import shlex
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selftest.warm.running import Running

CLIENT = """
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as asking:
    asking.connect(sys.argv[1])
    order = {"words": sys.argv[2:], "cwd": os.getcwd(), "env": dict(os.environ)}
    asking.sendall(json.dumps(order).encode() + b"\\n")
    answer = json.load(asking.makefile("rb"))
sys.stdout.write(answer["said"])
sys.exit(answer["code"] % 256)
"""


@contextmanager
def functions(within: float) -> Iterator[str]:
    """Serve a shell's commands; standard output and standard error of each come together, at its end.

    Args:
        within: The time that a command has, in seconds.

    Yields:
        The definitions of `pytest` and of `python`, which knows `-m MODULE` alone.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "socket"))
        (Path(folder) / "ask.py").write_text(CLIENT, encoding="utf-8")
        ask = shlex.join([sys.executable, "-IS", str(Path(folder, "ask.py")), path])
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path)
            server.listen()
            thread = threading.Thread(target=_serve, args=(server, Path(folder, "said"), within))
            thread.start()
            try:
                yield f'pytest() {{ {ask} -m pytest "$@"; }}\npython() {{ {ask} "$@"; }}\n'
            finally:
                server.shutdown(socket.SHUT_RDWR)  # wakes who waits for a connection
                thread.join()


def _serve(server: socket.socket, said: Path, within: float) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return  # it was shut down
        with connection, connection.makefile("rb") as lines:
            order = json.loads(lines.readline())
            said.write_bytes(b"")
            argv = [sys.executable, *order["words"]]
            command = Running(argv, cwd=Path(order["cwd"]), output=said, env=order["env"])
            try:
                code = command.wait(within)
            finally:
                command.kill()
            answer = {"said": said.read_text("utf-8", "replace"), "code": code}
            connection.sendall(json.dumps(answer).encode())
