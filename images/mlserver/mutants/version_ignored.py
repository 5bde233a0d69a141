"""A mutant whose newest version answers, whichever a request asks for."""

from conforming import ConformingServer, conforming


class Mutant(ConformingServer):
    """A Kafka server that does not read the version."""

    def asked(self, headers: dict[str, str]) -> tuple[str, str | None]:
        """Return the model that is asked for, without a version."""
        return super().asked(headers)[0], None


if __name__ == "__main__":
    conforming(Mutant)
