"""Access control of the API: requests come from this machine, with the token, and never from a web page.

Pods are processes on this machine, so whoever may create one runs programs as the user who started the platform.
"""

import hmac
import re

from multidict import MultiMapping

from embedded.api.errors import ApiError

_LOOPBACK = re.compile(r"(127(\.\d{1,3}){3}|localhost|\[::1\])(:\d+)?")


class Access:
    """A check that lets requests with `Authorization: Bearer <token>` pass.

    Args:
        token: The token of who may do everything, in ASCII.
        limited: The token of who may not, in ASCII; None: there is nobody like that.
    """

    def __init__(self, token: str, limited: str | None = None) -> None:
        self._token, self._limited = token.encode(), None if limited is None else limited.encode()

    def check(self, headers: MultiMapping[str]) -> bool:
        """Check the sender of a request by its headers.

        Returns:
            Whether the sender may do everything.

        Raises:
            ApiError: The request has a Host that is not loopback or an Origin (403), or not the token (401).
        """
        hosts = headers.getall("Host", [])
        if len(hosts) != 1 or not _LOOPBACK.fullmatch(hosts[0]) or "Origin" in headers:
            raise ApiError(403, "Forbidden", "forbidden: requests come from this machine, and not from a web page")
        credentials = headers.getall("Authorization", [])
        if _is(self._token, credentials):
            return True
        if self._limited is None or not _is(self._limited, credentials):
            raise ApiError(401, "Unauthorized", "Unauthorized")
        return False


def _is(token: bytes, credentials: list[str]) -> bool:
    if len(credentials) != 1:
        return False
    scheme, _, given = credentials[0].partition(" ")
    # aiohttp decodes header bytes that are not UTF-8 to surrogates.
    same = hmac.compare_digest(given.encode("utf-8", "surrogateescape"), token)
    return same and scheme.lower() == "bearer"
