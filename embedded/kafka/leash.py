"""A runner for programs that cannot watch their parent: `python -m embedded.kafka.leash PROGRAM ARGUMENT...`.

When stdin ends (the parent closed it, or died in any way), or on SIGTERM, the program gets SIGTERM, and SIGKILL ten
seconds later. On SIGUSR1 the program stops where it is (SIGSTOP), on SIGUSR2 it goes on. The runner ends with the
program's exit code (128 + signal when a signal killed it).
"""

import os
import signal
import subprocess
import sys
import threading
from types import FrameType

STOP, GO_ON = signal.SIGUSR1, signal.SIGUSR2
_GRACE_SECONDS = 10.0


def main(arguments: list[str]) -> int:
    """Run the program until it ends or stdin does; return the exit code."""
    program = subprocess.Popen(arguments, stdin=subprocess.DEVNULL)

    def end() -> None:
        program.terminate()
        program.send_signal(signal.SIGCONT)  # one that is stopped would not notice
        try:
            program.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            program.kill()

    def on_signal(_signal: int, _frame: FrameType | None) -> None:
        threading.Thread(target=end, daemon=True).start()

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        end()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(STOP, lambda *_: program.send_signal(signal.SIGSTOP))
    signal.signal(GO_ON, lambda *_: program.send_signal(signal.SIGCONT))
    threading.Thread(target=watch, daemon=True).start()
    code = program.wait()
    return 128 - code if code < 0 else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
