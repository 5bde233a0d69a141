"""A mutant whose gRPC server takes no message of more than 4 MiB."""

from conforming import conforming
from kserve.protocol.grpc import server

MOST_BYTES = 4 << 20
honest = server.GRPCServer.start


async def start(asked: server.GRPCServer, max_workers: int) -> None:
    """Start a gRPC server with another limit than it was asked for."""
    asked._kwargs = {**asked._kwargs, "grpc_max_receive_message_length": MOST_BYTES}  # noqa: SLF001 - the SDK has no other way to it
    await honest(asked, max_workers)


if __name__ == "__main__":
    server.GRPCServer.start = start
    conforming()
