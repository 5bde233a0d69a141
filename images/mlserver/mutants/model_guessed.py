"""A mutant that asks the loaded model where a request names none."""

from conforming import MODEL, ConformingServer, conforming


class Mutant(ConformingServer):
    """A Kafka server that needs no header."""

    def asked(self, headers: dict[str, str]) -> tuple[str, str | None]:
        """Return the model that is asked for, else the one that there is."""
        return super().asked({MODEL: "sums", **headers})


if __name__ == "__main__":
    conforming(Mutant)
