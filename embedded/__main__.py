"""The command line: bring the platform up, build its images, list its mutants."""

import argparse
import asyncio
import contextlib
import logging
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, NoReturn

import uvloop

from embedded.kafka import KafkaError
from embedded.platform import PROJECT, MutantError, Options, Platform, mutants_by_host, write_info
from embedded.private import NotPrivateError
from embedded.runtime.addresses import NoAddressError
from embedded.runtime.images import ImageError, Images, build_all
from embedded.runtime.web import PortTakenError, keep_broken_requests_out_of_the_log

OURS, USAGE = 2, 3
"""Exit codes: something of ours or of this machine does not work; wrong usage."""
DESCRIPTORS, LEAST_DESCRIPTORS = 65536, 512
TOLD = (PortTakenError, KafkaError, ImageError, NoAddressError, NotPrivateError)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")
        raise AssertionError("exit does not return")


def parser() -> argparse.ArgumentParser:
    """The options, with their help."""
    cache = Path(os.environ.get("TOUCHSTONE_CACHE") or PROJECT / ".touchstone")
    whole = _Parser(
        prog="python -m embedded",
        description="A small Kubernetes platform for asynchronous inference on loopback: API server, Knative Kafka "
        "Broker, KServe and Seldon controllers, Kafka, and pods as processes.",
    )
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser(
        "up",
        help="bring the platform up and keep it until SIGTERM, SIGINT or the end of standard input",
        description="Brings the platform up and keeps it. Log lines go to standard error, nothing to standard output.",
    )
    up.add_argument(
        "--info", type=Path, metavar="FILE", help="write where everything is to this file (JSON), once it is up"
    )
    up.add_argument(
        "--state", type=Path, required=True, metavar="DIR", help="kubeconfig, logs and Kafka's data go here"
    )
    up.add_argument(
        "--kafka", default="mock", metavar="KIND", help="mock (default), apache, or HOST:PORT of a running one"
    )
    up.add_argument("--until-eof", action="store_true", help="end when standard input ends")
    up.add_argument(
        "--until-lost",
        action="store_true",
        help="end when a part is lost that everything stands on, Kafka say; else stay for whoever wants to look around",
    )
    up.add_argument(
        "--lazy-images", action="store_true", help="build an image when a pod needs it, not before all else"
    )
    for option, what in (
        ("--api-port", "the Kubernetes API"),
        ("--broker-port", "the broker ingress"),
        ("--inference-port", "the inference ingress"),
        ("--resolver-port", "the resolver"),
    ):
        up.add_argument(option, type=_port, default=0, metavar="PORT", help=f"port of {what}; 0 (default) for any")
    up.add_argument(
        "--mutant",
        dest="mutants",
        action="append",
        default=[],
        metavar="NAME",
        help="make the whole platform faulty, in every namespace; may repeat, and a later one wraps an earlier one. "
        "The mutants that a namespace's label names come on top. `mutants` lists the names",
    )
    images = commands.add_parser("images", help="list the images, or build their environments")
    images.add_argument(
        "action", nargs="?", choices=("list", "build"), default="list", help="what to do (default: list)"
    )
    images.add_argument("names", nargs="*", metavar="NAME", help="only these")
    for command in (up, images):
        command.add_argument(
            "--images", type=Path, default=PROJECT / "images", metavar="DIR", help="the images' folder"
        )
        command.add_argument(
            "--cache", type=Path, default=cache, metavar="DIR", help="environments are kept here ($TOUCHSTONE_CACHE)"
        )
    commands.add_parser("mutants", help="list the mutants of the platform by what they bite")
    return whole


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command; the exit status."""
    given = parser().parse_args(argv)
    # gRPC would say on standard error, at every process that we start, that it does nothing about it.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    logging.basicConfig(level=logging.INFO, format="%(levelname).1s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    keep_broken_requests_out_of_the_log()
    try:
        if given.command == "up" and not _raise_descriptors():
            return OURS
        if given.command == "mutants":
            _list_mutants()
            return 0
        work = _up(_options(given), given) if given.command == "up" else _images(given)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work)
    except KeyboardInterrupt:
        return 130


def _list_mutants() -> None:
    for host, mutants in mutants_by_host().items():
        print(f"{host}:")  # noqa: T201 -- the command's answer
        for mutant in mutants:
            print(f"  {mutant.name:32} {mutant.about}")  # noqa: T201 -- likewise


def _options(given: argparse.Namespace) -> Options:
    try:
        return Options(
            state=given.state.resolve(),
            kafka=given.kafka,
            images=given.images.resolve(),
            cache=given.cache.resolve(),
            api_port=given.api_port,
            broker_port=given.broker_port,
            inference_port=given.inference_port,
            resolver_port=given.resolver_port,
            build_images=not given.lazy_images,
            mutants=tuple(given.mutants),
        )
    except MutantError as error:
        parser().error(f"--mutant: {error}")


async def _up(options: Options, given: argparse.Namespace) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if given.until_eof:
        threading.Thread(target=_wait_for_eof, args=(loop, stop), name="stdin", daemon=True).start()
    if given.info:
        given.info.unlink(missing_ok=True)
    began = time.monotonic()
    os.umask(0o077)  # logs, Kafka's files and the kubeconfig may hold what nobody else should read
    if options.mutants:
        _say(f"every namespace has the mutants {', '.join(options.mutants)}")
    platform = Platform(options, _say)
    stopped = asyncio.create_task(stop.wait())
    starting = asyncio.create_task(platform.start())
    try:
        both: list[asyncio.Future[Any]] = [starting, stopped]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            _say("stopping before everything was up")
            return 0
        info = starting.result()
        if given.info:
            write_info(given.info, info)
        _say(f"up after {time.monotonic() - began:.1f} s; export KUBECONFIG={info['kubeconfig']}")
        return await _stay(platform, stopped, until_lost=given.until_lost)
    except TOLD as error:
        _say(f"error: {error}")
        return OURS
    finally:
        starting.cancel()
        await asyncio.wait([starting])
        if given.info:
            given.info.unlink(missing_ok=True)
        await platform.stop()
        stopped.cancel()
        _say("stopped")


def _raise_descriptors() -> bool:
    """Raise the limit of open files and sockets, for our pods too; False when it stays too low for a platform."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY:
        soft = max(soft, DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS))
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        if soft < LEAST_DESCRIPTORS:
            wanted = f"expected room for {LEAST_DESCRIPTORS} open files and sockets, got a limit of {soft}"
            _say(f"error: {wanted}: raise it with `ulimit -n {LEAST_DESCRIPTORS}`")
            return False
    return True


async def _stay(platform: Platform, stopped: asyncio.Task[Literal[True]], *, until_lost: bool) -> int:
    """Wait until we are told to stop. What is lost meanwhile is said at once; others may still want to look around."""
    both: list[asyncio.Future[Any]] = [platform.lost, stopped]
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    if not platform.lost.done():
        return 0
    _say(f"error: {platform.lost.result()}")
    if not until_lost:
        await stopped
    return OURS


async def _images(given: argparse.Namespace) -> int:
    images = Images(given.images, given.cache)
    loop = asyncio.get_running_loop()
    this = asyncio.current_task()
    if this is not None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, this.cancel)
    try:
        if given.action == "build":
            await build_all(images, _say, given.names)
        for name in given.names or images.names():
            image = images.resolve(name)
            state = "built" if images.is_built(image) else "not built"
            print(f"{name:20} {state:10} {images.environment(image)}")  # noqa: T201 -- the command's answer
    except asyncio.CancelledError:
        _say("cut off")
        return 130
    except ImageError as error:
        _say(f"error: {error}")
        return OURS
    finally:
        await images.close()
    return 0


def _say(line: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        print(line, file=sys.stderr, flush=True)  # noqa: T201 -- progress


def _wait_for_eof(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    while os.read(0, 4096):
        pass
    with contextlib.suppress(RuntimeError):  # the loop may be closed by now
        loop.call_soon_threadsafe(stop.set)


def _port(text: str) -> int:
    port = int(text)
    if not 0 <= port <= 65535:
        raise ValueError(text)
    return port


if __name__ == "__main__":
    sys.exit(main())
