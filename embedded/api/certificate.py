"""The certificate of the API server: made anew at every start, for loopback only; its key is never in a file."""

import os
import ssl

NAMES = ("127.0.0.1", "::1", "localhost")


class Certificate:
    """A certificate authority of one server, and the server's certificate. Both keys are elliptic (P-256).

    Attributes:
        authority: The authority's certificate in PEM, for clients.
    """

    def __init__(self) -> None:
        # Imported here, so that a thread can do it: importing `cryptography` takes a tenth of a second.
        import trustme

        authority = trustme.CA(key_type=trustme.KeyType.ECDSA)
        server = authority.issue_cert(*NAMES, key_type=trustme.KeyType.ECDSA)
        self.authority = authority.cert_pem.bytes()
        self._chain = server.private_key_and_cert_chain_pem.bytes()

    def context(self) -> ssl.SSLContext:
        """Return a new TLS context of a server that shows this certificate."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        # OpenSSL reads keys from a path only; this path names memory that is freed when the file is closed.
        with os.fdopen(os.memfd_create("certificate"), "wb") as memory:
            memory.write(self._chain)
            memory.flush()
            context.load_cert_chain(f"/proc/self/fd/{memory.fileno()}")
        return context
