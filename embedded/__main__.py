"""The command line: bring the platform up, build its images, list its mutants."""

import argparse
import asyncio
import contextlib
import gc
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

from embedded.api.rights import RoleError
from embedded.kafka import KafkaError
from embedded.platform import (
    PERSONALITIES,
    PROJECT,
    READINESS_NAMES,
    MutantError,
    Options,
    Platform,
    mutants_by_host,
    write_info,
)
from embedded.private import NotPrivateError
from embedded.runtime.addresses import NoAddressError
from embedded.runtime.image_folders import ImageError
from embedded.runtime.images import Images, build_all
from embedded.runtime.web import PortTakenError, keep_broken_requests_out_of_the_log

FAILED, USAGE = 2, 3
"""Exit codes: a fault of ours or of this machine; wrong usage."""
DESCRIPTORS, LEAST_DESCRIPTORS = 65536, 512
"""Open files and sockets: the limit that is asked for, and the least with which a platform works."""
COLLECT_AFTER = 20_000
"""New objects after which Python looks for garbage in circles; its own 700 cost the platform a fifth of its time."""
REPORTED = (PortTakenError, KafkaError, ImageError, NoAddressError, NotPrivateError, RoleError)
"""Errors whose text is all that a user needs."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")
        raise AssertionError("exit does not return")


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line, with the help of all commands and options."""
    cache = Path(os.environ.get("TOUCHSTONE_CACHE") or PROJECT / ".touchstone")
    root = _Parser(
        prog="python -m embedded",
        description="A small Kubernetes platform for asynchronous inference on loopback: API server, Knative Kafka "
        "Broker, KServe and Seldon controllers, Kafka, and pods as processes.",
    )
    commands = root.add_subparsers(dest="command", required=True, metavar="COMMAND")
    up = commands.add_parser(
        "up",
        help="bring the platform up and keep it until SIGTERM, SIGINT or the end of standard input",
        description="Brings the platform up and keeps it. Log lines go to standard error, nothing to standard output.",
    )
    _add_up_options(up)
    images = commands.add_parser("images", help="list the images, or build their environments")
    images.add_argument(
        "action", nargs="?", choices=("list", "build"), default="list", help="what to do (default: list)"
    )
    images.add_argument("names", nargs="*", metavar="NAME", help="the images (default: list all, build the usual ones)")
    for command in (up, images):
        command.add_argument(
            "--images", type=Path, default=PROJECT / "images", metavar="DIR", help="folder of the images"
        )
        command.add_argument(
            "--cache", type=Path, default=cache, metavar="DIR", help="folder for built environments ($TOUCHSTONE_CACHE)"
        )
    packages = commands.add_parser("packages", help="list the packages of which images have several versions locked")
    packages.add_argument("--images", type=Path, default=PROJECT / "images", metavar="DIR", help="folder of the images")
    commands.add_parser("mutants", help="list the mutants of the platform by the part that they change")
    commands.add_parser(
        "personalities", help="list the real products that the platform can behave as, with their divergences"
    )
    return root


def _add_up_options(up: argparse.ArgumentParser) -> None:
    up.add_argument(
        "--info",
        type=Path,
        metavar="FILE",
        help="write the addresses of all parts to this file (JSON) once the platform is up",
    )
    up.add_argument(
        "--state", type=Path, required=True, metavar="DIR", help="folder for the kubeconfig, logs and Kafka's data"
    )
    up.add_argument(
        "--kafka", default="mock", metavar="KIND", help="mock (default), apache, or HOST:PORT of a running Kafka"
    )
    up.add_argument("--until-eof", action="store_true", help="end when standard input ends")
    up.add_argument(
        "--until-lost",
        action="store_true",
        help="end when a part fails that all others need, such as Kafka; else the platform stays up for inspection",
    )
    up.add_argument("--lazy-images", action="store_true", help="build an image when a pod first needs it, not at start")
    up.add_argument(
        "--with-image",
        dest="requested_images",
        action="append",
        default=[],
        metavar="NAME",
        help="build this image too, whose image.toml says on_request = true; may be repeated",
    )
    up.add_argument(
        "--package",
        dest="packages",
        type=_package,
        action="append",
        default=[],
        metavar="NAME=VERSION",
        help="have images use this version of a package, for which they have a lock; the command `packages` lists them",
    )
    for option, listener in (
        ("--api-port", "the Kubernetes API"),
        ("--broker-port", "the broker ingress"),
        ("--inference-port", "the inference ingress"),
        ("--resolver-port", "the resolver"),
    ):
        up.add_argument(option, type=_port, default=0, metavar="PORT", help=f"port of {listener}; 0 (default) for any")
    up.add_argument(
        "--mutant",
        dest="mutants",
        action="append",
        default=[],
        metavar="NAME",
        help="apply this mutant to every namespace; may be repeated, and a later one wraps an earlier one. "
        "Mutants that a namespace's label names are applied on top. The command `mutants` lists the names",
    )
    up.add_argument(
        "--personality",
        metavar="NAME",
        help="behave as this real product was observed, all its divergences at once; the command `personalities` lists "
        "the names",
    )
    up.add_argument(
        "--readiness",
        choices=READINESS_NAMES,
        default=READINESS_NAMES[0],
        help="how long objects take to be Ready: at-once (default) as fast as this machine can, observed as on a kind "
        "cluster",
    )
    up.add_argument(
        "--rights",
        type=Path,
        metavar="FILE",
        help="write a second kubeconfig, kubeconfig-limited, that has the rights of this file's roles only",
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status."""
    arguments = parser().parse_args(argv)
    # Without this setting gRPC prints a warning to standard error at every process that we start.
    os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")
    logging.basicConfig(level=logging.INFO, format="%(levelname).1s %(name)s: %(message)s", stream=sys.stderr)
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    keep_broken_requests_out_of_the_log()
    try:
        if arguments.command == "up" and not _raise_descriptors():
            return FAILED
        if arguments.command in {"mutants", "packages", "personalities"}:
            _list(arguments)
            return 0
        work = _up(_options(arguments), arguments) if arguments.command == "up" else _images(arguments)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return runner.run(work)
    except KeyboardInterrupt:
        return 130


def _calm_collector() -> None:
    """Look for garbage in circles seldom, and not among what stays: schemas and modules are most of all objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, 20, 20)


def _list(arguments: argparse.Namespace) -> None:
    if arguments.command == "packages":
        images = Images(arguments.images.resolve(), PROJECT)
        for package in images.packages():
            print(f"{package}: {' '.join(images.versions_of(package))}")  # noqa: T201 -- the command's answer
    elif arguments.command == "mutants":
        _list_mutants()
    else:
        _list_personalities()


def _list_mutants() -> None:
    for host, mutants in mutants_by_host().items():
        print(f"{host}:")  # noqa: T201 -- the command's answer
        for mutant in mutants:
            print(f"  {mutant.name:32} {mutant.about}")  # noqa: T201 -- likewise


def _list_personalities() -> None:
    for name, personality in PERSONALITIES.items():
        print(f"{name}:")  # noqa: T201 -- the command's answer
        for divergence in personality.divergences:
            print(f"  {divergence}")  # noqa: T201 -- likewise


def _options(arguments: argparse.Namespace) -> Options:
    try:
        return Options(
            state=arguments.state.resolve(),
            kafka=arguments.kafka,
            images=arguments.images.resolve(),
            cache=arguments.cache.resolve(),
            api_port=arguments.api_port,
            broker_port=arguments.broker_port,
            inference_port=arguments.inference_port,
            resolver_port=arguments.resolver_port,
            build_images=not arguments.lazy_images,
            requested_images=tuple(arguments.requested_images),
            packages=dict(arguments.packages),
            mutants=tuple(arguments.mutants),
            personality=arguments.personality,
            readiness=arguments.readiness,
            rights=arguments.rights,
        )
    except MutantError as error:
        parser().error(f"{'--personality' if 'personality' in str(error) else '--mutant'}: {error}")


async def _up(options: Options, arguments: argparse.Namespace) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    if arguments.until_eof:
        threading.Thread(target=_wait_for_eof, args=(loop, stop), name="stdin", daemon=True).start()
    if arguments.info:
        arguments.info.unlink(missing_ok=True)
    began = time.monotonic()
    os.umask(0o077)  # logs, Kafka's files and the kubeconfig may hold secrets
    if options.everywhere:
        _print_line(f"every namespace has the mutants {', '.join(options.everywhere)}")
    platform = Platform(options, _print_line)
    stopped = asyncio.create_task(stop.wait())
    starting = asyncio.create_task(platform.start())
    try:
        both: list[asyncio.Future[Any]] = [starting, stopped]
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if not starting.done():
            _print_line("stopping before everything was up")
            return 0
        info = starting.result()
        _calm_collector()
        if arguments.info:
            write_info(arguments.info, info)
        _print_line(f"up after {time.monotonic() - began:.1f} s; export KUBECONFIG={info['kubeconfig']}")
        return await _stay(platform, stopped, until_lost=arguments.until_lost)
    except REPORTED as error:
        _print_line(f"error: {error}")
        return FAILED
    finally:
        starting.cancel()
        await asyncio.wait([starting])
        if arguments.info:
            arguments.info.unlink(missing_ok=True)
        await platform.stop()
        stopped.cancel()
        _print_line("stopped")


def _raise_descriptors() -> bool:
    """Raise the limit of open files and sockets, for our pods too; return False when it stays too low."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY:
        soft = max(soft, DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, DESCRIPTORS))
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        if soft < LEAST_DESCRIPTORS:
            problem = f"expected room for {LEAST_DESCRIPTORS} open files and sockets, got a limit of {soft}"
            _print_line(f"error: {problem}: raise it with `ulimit -n {LEAST_DESCRIPTORS}`")
            return False
    return True


async def _stay(platform: Platform, stopped: asyncio.Task[Literal[True]], *, until_lost: bool) -> int:
    """Wait for the request to stop, report a lost part at once, and return the exit status."""
    both: list[asyncio.Future[Any]] = [platform.lost, stopped]
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    if not platform.lost.done():
        return 0
    _print_line(f"error: {platform.lost.result()}")
    if not until_lost:
        await stopped
    return FAILED


async def _images(arguments: argparse.Namespace) -> int:
    images = Images(arguments.images, arguments.cache)
    loop = asyncio.get_running_loop()
    current = asyncio.current_task()
    if current is not None:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, current.cancel)
    try:
        if arguments.action == "build":
            await build_all(images, _print_line, arguments.names)
        for name in arguments.names or images.names():
            image = images.resolve(name)
            state = "built" if images.is_built(image) else "not built"
            print(f"{name:20} {state:10} {images.environment(image)}")  # noqa: T201 -- the command's answer
    except asyncio.CancelledError:
        _print_line("cut off")
        return 130
    except ImageError as error:
        _print_line(f"error: {error}")
        return FAILED
    finally:
        await images.close()
    return 0


def _print_line(line: str) -> None:
    with contextlib.suppress(BrokenPipeError):
        print(line, file=sys.stderr, flush=True)  # noqa: T201 -- progress


def _wait_for_eof(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    while os.read(0, 4096):
        pass
    with contextlib.suppress(RuntimeError):  # the loop may be closed by now
        loop.call_soon_threadsafe(stop.set)


def _package(text: str) -> tuple[str, str]:
    name, equals, version = text.partition("=")
    if not (name and equals and version):
        raise argparse.ArgumentTypeError(f"expected NAME=VERSION, got {text!r}")
    return name, version


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"expected a port from 0 to 65535, got {text!r}")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
