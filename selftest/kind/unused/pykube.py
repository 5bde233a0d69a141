"""In the place of pykube on a machine of stand-ins: pytest-kind imports it, slowly, for a client that we never ask."""

from pathlib import Path


class KubeConfig:
    """A kubeconfig that is there, and is not looked into."""

    @classmethod
    def from_file(cls, path: Path) -> "KubeConfig":
        """Find the file."""
        if not path.is_file():
            raise FileNotFoundError(path)
        return cls()


class HTTPClient:
    """The client that nobody asks."""

    def __init__(self, config: KubeConfig) -> None:
        del config
