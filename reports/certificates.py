"""`python -m reports certificates`: the index of accepted submissions, made from their folders.

A folder of `certificates/` holds what a lab has accepted: `certificate.toml`, which says whose it is and which profiles
it claims, and the run's report.json and index.html, with attestation.json and the packed history where the vendor
publishes these. A folder that does not bear out its own claim ends the command, and nothing is written. The index
depends on the folders and on the catalogue's version only: a selftest finds a stale one.
"""

import argparse
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from markupsafe import Markup

from common import files
from common.errors import UsageError
from common.redaction import PLAIN
from evidence import history_file
from evidence.entries import EntryReader
from reports import build, run, written
from reports import html as page
from reports.document import dump, validate
from reports.errors import ReportError

ABOUT: Final = "certificate.toml"
INDEX, README = "index.html", "README.md"
_NAME = re.compile(r"[a-z0-9][a-z0-9.-]{0,99}")
_FIELDS: Final = ("vendor", "product", "version", "url", "accepted", "lab", "profiles")
_MEANINGS: Final = {
    "vendor": "who makes the product",
    "product": "its name",
    "version": "its exact version",
    "url": "where one finds it",
    "lab": "who judged the submission",
}


@dataclass(frozen=True, slots=True)
class Certificate:
    """One accepted submission.

    Attributes:
        folder: The name of its folder.
        vendor: The maker of the product.
        product: The name of the product.
        version: The exact version of the product.
        url: The address of the product.
        accepted: The day on which it was accepted.
        lab: The one who judged it.
        profiles: The profiles that it claims.
        numbers: How many requirements of these profiles passed, and how many there are.
        catalogue: The version of the catalogue that was asked.
        target: The target, with its Kafka.
        products: The products that the run saw, with their versions.
        waivers: The addresses of the issues by which requirements were waived, by requirement.
        started: The time of day when the run began.
        head: The head of the history, by which anybody knows it again.
        page: The run's own page, from the index on; empty where there is none.
    """

    folder: str
    vendor: str
    product: str
    version: str
    url: str
    accepted: str
    lab: str
    profiles: tuple[str, ...]
    numbers: tuple[int, int]
    catalogue: str
    target: str
    products: tuple[str, ...]
    waivers: Mapping[str, str]
    started: str
    head: str
    page: str


def add_options(parser: argparse.ArgumentParser, default: Path) -> None:
    """Give the command its arguments."""
    parser.add_argument(
        "folder",
        type=Path,
        metavar="DIR",
        nargs="?",
        default=default,
        help="their folder (default: ours)",
    )
    parser.add_argument("--check", action="store_true", help="write nothing, and end with 1 where the index is stale")
    parser.add_argument("--json", action="store_true", help="also print the certificates as JSON")


def command(arguments: argparse.Namespace, version: str) -> int:
    """Write the index and the README of a folder of certificates, or look whether they are stale.

    Args:
        arguments: The parsed command line.
        version: The version of today's catalogue.

    Returns:
        0: written, or as it should be; 1: a certificate does not bear out its claim, or the index is stale (`--check`).

    Raises:
        UsageError: There is no such folder.
        ReportError: A file cannot be written.
    """
    folder: Path = arguments.folder
    if not folder.is_dir():
        raise UsageError(f"{folder}: expected a folder of certificates, got none")
    faults: list[str] = []
    found = read(folder, faults)
    if faults:
        sys.stderr.write("".join(f"{PLAIN.one_line(fault, 1000)}\n" for fault in faults))
        return 1
    told = {INDEX: index(found, version), README: readme(found, version)}
    stale = [name for name, text in told.items() if _content(folder / name) != text]
    if arguments.json:
        sys.stdout.write(dump([asdict(certificate) for certificate in found]))
    if arguments.check:
        sys.stderr.write(
            "".join(f"{folder / name}: stale: python -m reports certificates {folder}\n" for name in stale)
        )
        return 1 if stale else 0
    for name in stale:
        _write(folder / name, told[name])
    return 0


def read(folder: Path, faults: list[str]) -> list[Certificate]:
    """Return the certificates of a folder, by vendor, product and version.

    Args:
        folder: The folder.
        faults: The list to which every reason is added why one cannot stand there.
    """
    found: list[Certificate] = []
    for place in sorted(each for each in folder.iterdir() if each.is_dir() and not each.name.startswith(".")):
        try:
            found.append(_read(place))
        except ReportError as error:
            faults += str(error).split("\n")
    return sorted(found, key=lambda each: (each.vendor.casefold(), each.product.casefold(), each.version, each.folder))


def _read(place: Path) -> Certificate:
    if not _NAME.fullmatch(place.name):
        raise ReportError(f"{place}: expected a name of small letters, digits, dots and hyphens, got {place.name!r}")
    about = _about(place / ABOUT)
    report = written.load(place / written.NAME)
    try:
        validate(report)
    except ReportError as error:
        raise ReportError(f"{place / written.NAME}: {error}") from error
    _expect_borne_out(place, report, about["profiles"])
    results = [result for result in report["results"] if result["profile"] in about["profiles"]]
    return Certificate(
        folder=place.name,
        **about,
        numbers=(sum(result["verdict"] == "pass" for result in results), len(results)),
        catalogue=PLAIN.one_line(report["suite"]["catalogue"].get("version") or "none", 40),
        target=_target(report["target"]),
        products=tuple(PLAIN.one_line(f"{name} {version}", 120) for name, version in report["sut"].items()),
        waivers=_waivers(report),
        started=PLAIN.one_line(report["run"]["started"] or "", 60),
        head=report["history"]["head"],
        page=quote(f"{place.name}/{INDEX}") if (place / INDEX).is_file() else "",
    )


def _about(file: Path) -> dict[str, Any]:
    """Return what a certificate says of itself."""
    reader = EntryReader(_MEANINGS, {})
    table = reader.document(file)
    if reader.faults:
        raise ReportError("\n".join(reader.faults))
    reader.known_fields(file, "the certificate", table, _FIELDS)
    told: dict[str, Any] = {
        name: PLAIN.one_line(reader.text(file, "the certificate", table, name), 200) for name in _MEANINGS
    }
    if told["url"] and not told["url"].startswith(("https://", "http://")):
        reader.fault(file, "the certificate", "url", f"expected an address, got {told['url'][:60]!r}")
    day = table.get("accepted")
    if not isinstance(day, date) or isinstance(day, datetime):
        reader.fault(file, "the certificate", "accepted", "write accepted = 2027-01-31, the day of the acceptance")
    profiles = reader.texts(file, "the certificate", table, "profiles")
    if not profiles:
        reader.fault(file, "the certificate", "profiles", 'write profiles = ["broker-core"], the profiles it claims')
    if reader.faults:
        raise ReportError("\n".join(reader.faults))
    return {**told, "accepted": str(day), "profiles": profiles}


def _expect_borne_out(place: Path, report: Mapping[str, Any], profiles: Sequence[str]) -> None:
    """Refuse a claim that the report does not make; whether the report is true is for `verify` to say."""
    gate, tallies, history = report["gate"], report["summary"]["profiles"], report["history"]
    faults: list[str] = []
    if (gate["name"], gate["exit"]) != ("strict", 0):
        faults.append(f"expected a run of gate strict that ended with 0, got gate {gate['name']}, exit {gate['exit']}")
    if (target := report["target"].get("name")) in (None, "embedded"):
        faults.append(f"expected a run on a cluster, got one on {target or 'no target'}")
    if personality := report["sut"].get(build.PERSONALITY):
        faults.append(f"expected a run of the product itself, got one of the personality of {personality}")
    for profile in profiles:
        verdict = tallies.get(profile, {}).get("verdict")
        if verdict != "pass":
            faults.append(f"profile {profile}: expected pass, got {verdict or 'no such profile'}")
    if history["faults"]:
        faults.append(f"expected a history without a fault, got {history['faults'][0]}")
    packed = history_file.in_folder(place)
    if packed is not None and (digest := run.sha256(packed)) != history["sha256"]:
        faults.append(f"{packed.name}: expected sha256 {history['sha256'][:16]}, got {digest[:16]}")
    if faults:
        raise ReportError("\n".join(f"{place}: {fault}" for fault in faults))


def _target(target: Mapping[str, Any]) -> str:
    kafka = target.get("kafka")
    told = " ".join(str(kafka[key]) for key in ("kind", "version") if kafka.get(key)) if isinstance(kafka, dict) else ""
    return PLAIN.one_line(f"{target.get('name') or '?'}{f', Kafka {told}' if told else ''}", 120)


def _waivers(report: Mapping[str, Any]) -> dict[str, str]:
    entries = report.get("allowances", {}).get("entries", [])
    used = [entry for entry in entries if (entry["kind"], entry["status"]) == ("waiver", "seen")]
    return {PLAIN.one_line(entry["requirement"], 100): PLAIN.one_line(entry["url"] or "", 300) for entry in used}


def older(certificate: Certificate, version: str) -> bool:
    """Tell whether a certificate is of a catalogue that asked less: its first number is another one than today's."""
    return certificate.catalogue.partition(".")[0] != version.partition(".")[0]


def index(certificates: Sequence[Certificate], version: str) -> str:
    """Return the page of all certificates."""
    return (
        page.environment()
        .get_template("certificates.html.j2")
        .render(
            certificates=certificates,
            version=version,
            older=older,
            css=Markup(page.source("report.css") + page.source("compare.css")),  # noqa: S704 - our own files
        )
    )


def readme(certificates: Sequence[Certificate], version: str) -> str:
    """Return the README of the folder, with a table of all certificates."""
    lines = [
        "<!-- Written by `python -m reports certificates`. -->",
        "# Certificates",
        "",
        "Submissions that a lab has accepted. [docs/certification.md](../docs/certification.md) says what a vendor",
        "hands in, and how a lab judges.",
        "",
    ]
    if not certificates:
        return "\n".join([*lines, "None has been accepted yet.", ""])
    lines += ["| product | version | profiles | passed | target | catalogue | accepted |", f"|{' --- |' * 7}"]
    for each in certificates:
        name = f"[{_cell(f'{each.vendor} {each.product}')}]({quote(each.folder)}/)"
        passed = f"{each.numbers[0]} of {each.numbers[1]}" + (f", {len(each.waivers)} waived" if each.waivers else "")
        catalogue = each.catalogue + (" (an older one)" if older(each, version) else "")
        accepted = f"{each.accepted} by {_cell(each.lab)}"
        profiles = ", ".join(map(_cell, each.profiles))
        cells = (name, _cell(each.version), profiles, passed, _cell(each.target), _cell(catalogue), accepted)
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join([*lines, ""])


def _cell(text: str) -> str:
    """Return a text of somebody else's that is no markup in a cell of a table."""
    return re.sub(r"([\\`*_{}\[\]<>()#|!@&~])", r"\\\1", text)


def _content(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return ""


def _write(path: Path, text: str) -> None:
    try:
        with files.whole(path, files.SHARED_FILE_MODE) as file:
            file.write(text.encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise ReportError(f"cannot write {path}: {error.strerror}") from error
