"""A gRPC server with another limit on its messages than the SDK was asked for: mutants are made of it."""

from conforming import conforming
from kserve.protocol.grpc import server

MOST_BYTES = 4 << 20
honest = server.GRPCServer.start


def serve_limited(argument: str) -> None:
    """Serve until SIGTERM, with a limit of 4 MiB.

    Args:
        argument: The name of the SDK's argument that says which messages are limited.
    """

    async def start(asked: server.GRPCServer, max_workers: int) -> None:
        asked._kwargs = {**asked._kwargs, argument: MOST_BYTES}  # noqa: SLF001 - the SDK has no other way to it
        await honest(asked, max_workers)

    server.GRPCServer.start = start
    conforming()
