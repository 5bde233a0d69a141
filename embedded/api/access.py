"""Who may ask: a program on this machine that knows the token. A web page never does.

Pods are processes on this machine, so whoever may create one runs programs as the user who started the platform.
"""

import hmac
import re

from multidict import MultiMapping

from embedded.api.errors import ApiError

_LOOPBACK = re.compile(r"(127(\.\d{1,3}){3}|localhost|\[::1\])(:\d+)?")


class Access:
    """Lets in who sends `Authorization: Bearer <token>`.

    Args:
        token: The one token that is known, in ASCII.
    """

    def __init__(self, token: str) -> None:
        self._token = token.encode()

    def check(self, headers: MultiMapping[str]) -> None:
        """Check the sender of a request by its headers.

        Raises:
            ApiError: 403 for a Host that is not loopback or for any Origin, 401 for no token or another one.
        """
        hosts = headers.getall("Host", [])
        if len(hosts) != 1 or not _LOOPBACK.fullmatch(hosts[0]) or "Origin" in headers:
            raise ApiError(403, "Forbidden", "forbidden: requests come from this machine, and not from a web page")
        if not self._is_known(headers.getall("Authorization", [])):
            raise ApiError(401, "Unauthorized", "Unauthorized")

    def _is_known(self, credentials: list[str]) -> bool:
        if len(credentials) != 1:
            return False
        scheme, _, given = credentials[0].partition(" ")
        # What is not UTF-8 in a header comes as surrogates.
        same = hmac.compare_digest(given.encode("utf-8", "surrogateescape"), self._token)
        return same and scheme.lower() == "bearer"
