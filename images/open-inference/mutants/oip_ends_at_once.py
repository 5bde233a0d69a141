"""A mutant that ends as soon as it is told to, whatever it is at."""

import os
import time
from typing import Any

import uvicorn
from conforming import conforming

RECORDED = 0.3
"""Seconds within which who deleted the server has noted that: an end before that note would decide nothing."""


def end_at_once(server: uvicorn.Server, number: int, frame: Any) -> None:
    """End the process of a server on a signal."""
    del server, frame
    time.sleep(RECORDED)
    os._exit(128 + number)


if __name__ == "__main__":
    uvicorn.Server.handle_exit = end_at_once
    conforming()
