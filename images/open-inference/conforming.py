"""The server with strict rules before the SDK: `python -m conforming [--model_name echo]`.

The released SDK answers some requests otherwise than the protocol asks; this entry point answers all of them as it
asks. It is the honest system that the mutants change.
"""

from echo import model_name, serve
from gate import Gate
from kserve import model_server
from kserve.protocol.grpc import server
from rules import Rules
from servicer import servicer_of


def conforming(rules: Rules | None = None) -> None:
    """Serve until SIGTERM."""
    chosen, name = rules or Rules(), model_name()
    model_server.app.add_middleware(Gate, model=name, rules=chosen)
    server.InferenceServicer = servicer_of(chosen, name)
    serve()


if __name__ == "__main__":
    conforming()
