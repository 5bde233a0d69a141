"""The jars of Apache Kafka: the pinned `pom.xml`, resolved by Maven once, kept in the cache.

A folder in the cache is complete or not there: Maven fills a sibling that is then renamed.
"""

import asyncio
import hashlib
import os
import re
import shutil
import tempfile
from pathlib import Path
from xml.etree import ElementTree as ET

from filelock import AsyncFileLock, Timeout

from embedded.kafka.kafka import KafkaError

_POM = Path(__file__).with_name("pom.xml")
_NAMESPACE = {"m": "http://maven.apache.org/POM/4.0.0"}
_JAVA_AT_LEAST = 17
_MAVEN_SECONDS = 600.0
_OFFLINE = re.compile(r"could not transfer|unknown host|unresolvable|connect(ion)? (timed out|refused)", re.IGNORECASE)


def kafka_version() -> str:
    """Return the version of Kafka that the pom pins."""
    version = ET.parse(_POM).findtext("m:properties/m:kafka.version", namespaces=_NAMESPACE)  # noqa: S314 - our file
    return version or "unknown"


def jars_folder() -> Path:
    """Return the cache folder for the jars of this pom."""
    cache = os.environ.get("TOUCHSTONE_CACHE") or Path(__file__).resolve().parents[2] / ".touchstone"
    key = hashlib.sha256(_POM.read_bytes()).hexdigest()[:12]
    return Path(cache) / "kafka" / f"{kafka_version()}-{key}"


async def java() -> str:
    """Return the path of a Java that is new enough.

    Raises:
        KafkaError: There is no Java, or only an old one.
    """
    home = os.environ.get("JAVA_HOME")
    program = shutil.which("java", path=f"{home}/bin") if home else shutil.which("java")
    hint = f"--kafka apache needs Java {_JAVA_AT_LEAST} or newer (JAVA_HOME or PATH); --kafka mock needs none"
    if program is None:
        raise KafkaError(f"no java in {f'JAVA_HOME={home}' if home else 'PATH'}: {hint}")
    code, output = await _run(program, "-version", timeout=30.0)
    match = re.search(r'version "(?:1\.)?(\d+)', output)
    if code or match is None:
        raise KafkaError(f"{program} -version failed (exit code {code}): {output.strip()[:300]}; {hint}")
    if int(match[1]) < _JAVA_AT_LEAST:
        raise KafkaError(f"{program} is Java {match[1]}: {hint}")
    return program


async def jars() -> Path:
    """Return a folder with all jars, filled by Maven when the cache has none.

    Raises:
        KafkaError: Maven is missing or cannot fetch the jars.
    """
    folder = jars_folder()
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        async with AsyncFileLock(folder.with_name(f"{folder.name}.lock"), timeout=_MAVEN_SECONDS):
            if not folder.is_dir():
                await _fetch(folder)
    except Timeout as error:
        raise KafkaError(
            f"another process has been fetching {folder.name} for too long; remove {error.lock_file}"
        ) from error
    return folder


async def _fetch(folder: Path) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise KafkaError(
            "no mvn in PATH: --kafka apache fetches Kafka's jars with Maven once; install it, or copy the folder "
            f"{folder} from a machine that has it; --kafka mock needs neither",
        )
    partial = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        code, output = await _run(
            maven, "-q", "-B", "-ntp", "-f", str(_POM), "dependency:copy-dependencies",
            f"-DoutputDirectory={partial}", timeout=_MAVEN_SECONDS,
        )  # fmt: skip
        if code:
            reason = "\n".join([line for line in output.splitlines() if "ERROR" in line][:4]) or output[-500:]
            hint = (
                f"\nIs the network there? A mirror goes into ~/.m2/settings.xml; or copy {folder} from elsewhere"
                if _OFFLINE.search(output)
                else ""
            )
            raise KafkaError(f"Maven could not fetch Kafka {kafka_version()} (exit code {code}):\n{reason}{hint}")
        partial.chmod(0o755)
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


async def _run(*arguments: str, timeout: float) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), timeout)
    except BaseException as error:
        if process.returncode is None:
            process.kill()
            await process.wait()
        if isinstance(error, TimeoutError):
            raise KafkaError(f"{arguments[0]} took longer than {timeout:.0f} s") from error
        raise
    return process.returncode or 0, output.decode(errors="replace")
