"""A mutant that answers errors with their status and nothing else."""

from conforming import ConformingTransformer, conforming
from gate import Gate, Message, Receive, Send


class Mutant(Gate):
    """A gate that cuts the bodies of errors off."""

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        failed = False

        async def silent(message: Message) -> None:
            nonlocal failed
            if message["type"] == "http.response.start":
                failed = message["status"] >= 400
                if failed:
                    message = {**message, "headers": [(b"content-length", b"0")]}
            elif failed and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await super().__call__(scope, receive, silent)


if __name__ == "__main__":
    conforming(ConformingTransformer, Mutant)
