"""A mutant that cannot write the elements of a BYTES tensor, and so answers nothing."""

from collections.abc import Sequence
from typing import Any

from conforming import Answer, ConformingServer, conforming


class UnwritableError(Exception):
    """An answer that is no JSON as it stands."""


class Mutant(ConformingServer):
    """A Kafka server whose JSON has no bytes."""

    async def answers(self, record: Any) -> Sequence[Answer]:
        """Return the answer to a request; none where it cannot be written."""
        try:
            return [await self.predict(record)]
        except UnwritableError:
            return []
        except Exception as error:  # noqa: BLE001 -- as the honest one
            return [self.refusal(record, error)]

    def written(self, response: dict[str, Any]) -> bytes:
        """Return a response as JSON, unless it has bytes."""
        if any(output["datatype"] == "BYTES" for output in response["outputs"]):
            raise UnwritableError
        return super().written(response)


if __name__ == "__main__":
    conforming(Mutant)
