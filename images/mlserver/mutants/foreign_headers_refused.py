"""A mutant that refuses a request with a header that it does not know."""

from typing import Any

from conforming import MODEL, VERSION, Answer, ConformingServer, RefusedError, conforming


class Mutant(ConformingServer):
    """A Kafka server that knows two headers, and allows no other."""

    async def predict(self, record: Any) -> Answer:
        """Return the prediction for a request without foreign headers."""
        if foreign := {name for name, _ in record.headers} - {MODEL, VERSION}:
            raise RefusedError(f"unknown headers: {', '.join(sorted(foreign))}")
        return await super().predict(record)


if __name__ == "__main__":
    conforming(Mutant)
