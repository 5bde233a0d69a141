"""The server with strict rules before the SDK: `python -m conforming [--model_name echo]`.

The released SDK answers some requests otherwise than the protocol asks; this entry point answers all of them as it
asks. It is the honest system that the mutants change.
"""

from echo import model_name, serve
from gate import Gate
from kserve import model_server
from kserve.protocol.grpc import server
from repository import Repository
from rules import Rules
from servicer import servicer_of


def conforming(rules: Rules | None = None, models: type[Repository] = Repository) -> None:
    """Serve until SIGTERM.

    Args:
        rules: What is answered; None: as the protocol asks.
        models: The class of the repository that has the model.
    """
    chosen, name = rules or Rules(), model_name()
    repository = models(name)
    model_server.app.add_middleware(Gate, model=name, rules=chosen, repository=repository)
    server.InferenceServicer = servicer_of(chosen, repository)
    serve()


if __name__ == "__main__":
    conforming()
