"""MLServer as it is released: `python -m released` is `mlserver start` of this folder."""

from pathlib import Path

from mlserver.cli.main import root


def serve() -> None:
    """Serve until SIGTERM."""
    root(["start", str(Path(__file__).parent)])


if __name__ == "__main__":
    serve()
