"""A mutant whose gRPC server writes no message of more than 4 MiB."""

from mutants.limiting_messages import serve_limited

if __name__ == "__main__":
    serve_limited("grpc_max_send_message_length")
