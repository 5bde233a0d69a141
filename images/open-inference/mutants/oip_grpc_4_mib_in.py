"""A mutant whose gRPC server takes no message of more than 4 MiB."""

from mutants.limiting_messages import serve_limited

if __name__ == "__main__":
    serve_limited("grpc_max_receive_message_length")
