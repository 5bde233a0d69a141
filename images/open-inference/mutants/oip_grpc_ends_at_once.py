"""A mutant that cancels the gRPC calls under way when it is told to end."""

from conforming import conforming
from kserve.protocol.grpc import server


async def end_at_once(asked: server.GRPCServer, sig: int | None = None) -> None:
    """End a gRPC server."""
    del sig
    await asked._server.stop(grace=None)  # noqa: SLF001 - the SDK has no other way to it


if __name__ == "__main__":
    server.GRPCServer.stop = end_at_once
    conforming()
