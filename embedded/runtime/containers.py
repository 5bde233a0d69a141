"""The life of a container: image, start, readiness, end, restart with back-off, in the words of Kubernetes."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from embedded.api.store import now
from embedded.runtime.environment import Launch, UnresolvedError
from embedded.runtime.image_folders import Image, ImageError, UnknownImageError
from embedded.runtime.logs import ContainerLog
from embedded.runtime.probes import Probe, ProbeConfigError
from embedded.runtime.process import Command, Run, start
from embedded.runtime.references import MissingError
from embedded.runtime.volumes import MountError
from embedded.runtime.warm import Leads

TAIL_LINES, TAIL_BYTES = 20, 2048
SLOW_START = 30.0
"""The time, in seconds, after which a container that is not ready shows the end of its log."""
CANNOT_START = 128


class RestartPolicy(Enum):
    """The reaction to the end of a container's command."""

    ALWAYS = "Always"
    ON_FAILURE = "OnFailure"
    NEVER = "Never"

    def restarts(self, code: int) -> bool:
        """Return whether a command that ended with this status runs again."""
        return self is RestartPolicy.ALWAYS or (self is RestartPolicy.ON_FAILURE and code != 0)


@dataclass(frozen=True, slots=True)
class Backoff:
    """The seconds before a restart: 0, then `first`, doubling up to `most`; 0 again after a run of `reset` seconds."""

    first: float = 1.0
    most: float = 60.0
    reset: float = 600.0

    def delay(self, crashes: int) -> float:
        """Return the delay before the restart after so many crashes in a row (1, 2, ...)."""
        return 0.0 if crashes <= 1 else min(self.most, self.first * 2.0 ** (crashes - 2))


RecordEvent = Callable[[str, str], None]
"""A function that records an event about the pod: (reason, message)."""


@dataclass(frozen=True, slots=True)
class ContainerPlan:
    """The functions and values that a container gets from its pod. All but `record_event` may raise before a run."""

    name: str
    reference: str
    resolve_image: Callable[[], Image]
    build: Callable[[Image], Awaitable[None]]
    launch: Callable[[Image], Launch]
    probe: Callable[[Image, Launch], Probe | None]
    leads: Callable[[Image, Launch], Awaitable[Leads | None]]
    record_event: RecordEvent
    policy: RestartPolicy = RestartPolicy.ALWAYS
    backoff: Backoff = field(default_factory=Backoff)


class Container:
    """A container that runs a plan until stopped. `changed` is called after every change of `status`."""

    def __init__(self, plan: ContainerPlan, log: ContainerLog, changed: Callable[[], None]) -> None:
        self.plan, self.log, self._changed = plan, log, changed
        self.launched: Launch | None = None
        self.ready = False
        self.finished: int | None = None
        self._state: dict[str, Any] = {"waiting": {"reason": "ContainerCreating"}}
        self._last: dict[str, Any] = {}
        self._executions: set[Command] = set()
        self._trouble = ""
        self._restarts = 0
        self._crashes = 0
        self._run: Run | None = None
        self._replacing = False
        self._retry = asyncio.Event()
        self._task = asyncio.create_task(self._live())

    @property
    def pid(self) -> int | None:
        """The id of the running container's first process, or None."""
        return self._run.pid if self._run else None

    @property
    def trouble(self) -> str:
        """The reason why it is not ready, with the end of its log where that helps; empty if there is none."""
        return "" if self.ready else self._trouble

    def status(self) -> dict[str, Any]:
        """Return the `containerStatuses` entry."""
        return {
            "name": self.plan.name,
            "image": self.plan.reference,
            "imageID": "",
            "ready": self.ready,
            "started": "running" in self._state,
            "restartCount": self._restarts,
            "state": self._state,
            "lastState": self._last,
        }

    def retry(self) -> None:
        """Try again: something changed that the container may be waiting for."""
        self._retry.set()

    def replace(self) -> None:
        """End the run and start the next at once, because its start parameters are no longer true."""
        if self._run is not None:
            self._replacing = True
            self._run.terminate()

    def accompany(self, execution: Command) -> None:
        """End a command of a client with the present run."""
        self._executions.add(execution)
        execution.ended.add_done_callback(lambda _: self._executions.discard(execution))

    async def stop(self, grace: float) -> None:
        """End the container for good: SIGTERM, and SIGKILL after `grace` seconds."""
        self._task.cancel()
        await asyncio.wait([self._task])
        if (run := self._run) is not None:
            self.plan.record_event("Killing", f"Stopping container {self.plan.name}")
            code = await run.stop(grace)
            # A second stop may have waited for the same end.
            if self._run is run:
                self._ended(code, run)
        await asyncio.gather(*(execution.ended for execution in self._executions))
        self.ready = False

    # The life of the container.

    async def _live(self) -> None:
        while True:
            image, launch, probe = await self._prepared()
            code, seconds = await self._once(image, launch, probe)
            if self._replacing:
                self._replacing = False
                continue
            if not self.plan.policy.restarts(code):
                self.finished = code
                self._changed()
                return
            if seconds >= self.plan.backoff.reset:
                self._crashes = 0
            self._crashes += 1
            delay = self.plan.backoff.delay(self._crashes)
            if "terminated" in self._state:
                self._last = self._state
                message = f"back-off {delay:g}s restarting failed container {self.plan.name}"
                self._state = {"waiting": {"reason": "CrashLoopBackOff", "message": message}}
                self.plan.record_event("BackOff", f"Back-off restarting failed container {self.plan.name}")
            self._changed()
            await asyncio.sleep(delay)
            self._restarts += 1

    async def _prepared(self) -> tuple[Image, Launch, Probe | None]:
        """Wait until the container can start: the image is built and the names resolve."""
        pulls = 0
        while True:
            self._retry.clear()
            try:
                image = self.plan.resolve_image()
                await self.plan.build(image)
                launch = self.plan.launch(image)
                return image, launch, self.plan.probe(image, launch)
            except UnresolvedError as error:
                self._wait("ContainerCreating", str(error))
            except MountError as error:
                self._wait("ContainerCreating", str(error), event="FailedMount")
            except (MissingError, ProbeConfigError) as error:
                self._wait("CreateContainerConfigError", str(error), event="Failed")
            except UnknownImageError as error:
                self._wait("ErrImagePull", str(error), event="Failed")
            except ImageError as error:
                pulls += 1
                self._wait("ErrImagePull", str(error), event="Failed")
                # A build can be tried again without anything changing in the cluster: the network may be back.
                await self._retry_within(self.plan.backoff.delay(pulls + 5))
                continue
            await self._retry.wait()

    async def _retry_within(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._retry.wait()
        except TimeoutError:
            return

    async def _once(self, image: Image, launch: Launch, probe: Probe | None) -> tuple[int, float]:
        loop = asyncio.get_running_loop()
        began = loop.time()
        leads = await self.plan.leads(image, launch)
        log = self.log.new_run()
        # Shielded from cancellation: a process that was started must be known.
        starting = asyncio.create_task(start(launch, log, leads))
        try:
            self._run = run = await asyncio.shield(starting)
        except asyncio.CancelledError:
            self._run = await starting
            raise
        except OSError as error:
            self._wait("RunContainerError", f"{launch.folder}: {error.strerror}", event="Failed")
            return CANNOT_START, 0.0
        self.launched = launch
        self._state = {"running": {"startedAt": now()}}
        self._trouble = f"container {self.plan.name} is starting"
        self.plan.record_event("Started", f"Started container {self.plan.name}")
        self.ready = probe is None
        self._changed()
        if probe is not None:
            await self._watch(run, probe, began)
        code = await asyncio.shield(run.ended)
        self._ended(code, run)
        self._changed()
        return code, loop.time() - began

    async def _watch(self, run: Run, probe: Probe, began: float) -> None:
        """Probe until the run ends."""
        loop = asyncio.get_running_loop()
        failures, successes, report_after = 0, 0, SLOW_START
        pause = probe.eager
        while not run.ended.done():
            wrong = await probe.ask(probe.timeout)
            if run.ended.done():
                return
            failures, successes = (failures + 1, 0) if wrong else (0, successes + 1)
            if successes >= probe.successes and not self.ready:
                self.ready, pause = True, probe.period
                self._changed()
            elif wrong and self.ready and failures >= probe.failures:
                self.ready, pause = False, probe.eager
                report_after = loop.time() - began + SLOW_START
                self._report_unready(f"container {self.plan.name} is no longer ready: {wrong}", run)
            elif wrong and not self.ready and loop.time() - began >= report_after:
                self._report_unready(
                    f"container {self.plan.name} is not ready after {report_after:.3g} s: {wrong}", run
                )
                report_after *= 2
            await asyncio.wait([run.ended], timeout=pause)

    def _ended(self, code: int, run: Run) -> None:
        self._run, self.ready, self.launched = None, False, None
        for execution in self._executions:
            execution.kill()
        tail = log_tail(run)
        self._state = {
            "terminated": {
                "exitCode": code,
                "reason": "Completed" if code == 0 else "Error",
                "message": tail,
                "finishedAt": now(),
            }
        }
        self._trouble = f"container {self.plan.name} {ending(code)}; its log ends:\n{tail}{hint(tail)}"

    def _wait(self, reason: str, message: str, event: str = "") -> None:
        before, self._state = self._state, {"waiting": {"reason": reason, "message": message}}
        if event and self._state != before:
            self.plan.record_event(event, message if event == "FailedMount" else f"Error: {message}")
        self._trouble = f"container {self.plan.name}: {reason}: {message}"
        self._changed()

    def _report_unready(self, trouble: str, run: Run) -> None:
        self.plan.record_event("Unhealthy", f"Readiness probe failed: {trouble}")
        self._trouble = f"{trouble}; its log ends:\n{log_tail(run)}"
        self._changed()


def log_tail(run: Run) -> str:
    """Return the last lines of a run's log as text, bounded."""
    return run.log.tail(TAIL_LINES)[-TAIL_BYTES:].decode(errors="replace").strip() or "(it wrote nothing)"


def hint(tail: str) -> str:
    """Return an explanation that a person may not guess from the log; empty if there is none."""
    if "address already in use" not in tail.lower():
        return ""
    return (
        "\n(A pod has an address of its own here. Its port can only be taken by a program of this machine that listens "
        "on that port of every address: `ss -ltn` shows it.)"
    )


def ending(code: int) -> str:
    """Return an exit status in words."""
    if code > 128:
        import signal

        known = {signum.value: signum.name for signum in signal.Signals}
        return f"was ended by {known.get(code - 128, f'signal {code - 128}')}"
    return f"exited with status {code}"
