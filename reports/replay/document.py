"""The case as one Markdown file: what is asked, what failed, lines for a shell, and the stimulus, which pytest plays.

Whatever a run says stands in code spans and code blocks: it is neither markup, nor a link, nor does it call anybody.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from common.redaction import PLAIN
from evidence.catalogue import Requirement
from evidence.stimulus import FENCE, ClaimStep, Stimulus, steps_of, to_json
from reports.replay import curl

LONGEST = 1200


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of a case after its replay.

    Attributes:
        requirement: The requirement that fails.
        stimulus: The smallest stimulus that was found, without secrets.
        message: The violation.
        target: The name of the target.
        sut: The versions of the system under test in the recorded run, by product.
        options: The options of the session that played it.
        mutants: The mutants among these.
        failed, plays: How often the smallest stimulus failed, of how many plays.
        reference: What the reference platform makes of it, in words; empty: it was not asked.
        before, after: The sizes of the recorded and of the smallest stimulus, by what is counted.
        hidden: Whether secrets were taken out of the stimulus.
    """

    requirement: Requirement
    stimulus: Stimulus
    message: str
    target: str
    sut: Mapping[str, str | None]
    options: Sequence[str]
    mutants: Sequence[str]
    failed: int
    plays: int
    reference: str
    before: Mapping[str, int]
    after: Mapping[str, int]
    hidden: bool

    @property
    def claim(self) -> ClaimStep:
        """The claim that fails."""
        return [step for step in steps_of(self.stimulus) if step["step"] == "claim"][-1]

    def to_json(self) -> dict[str, Any]:
        """Return the numbers, as JSON."""
        return {
            "requirement": self.requirement.id,
            "test": self.stimulus["test"],
            "run": self.stimulus["run"],
            "target": self.target,
            "check": self.claim["check"],
            "message": PLAIN.text(self.message),
            "failed": self.failed,
            "plays": self.plays,
            "reference": self.reference,
            "before": dict(self.before),
            "after": dict(self.after),
            "hidden": self.hidden,
        }


def render(finding: Finding, name: str) -> str:
    """Return the text.

    Args:
        finding: What is known.
        name: The name of the file that the text is written to.
    """
    return "\n".join(_lines(finding, name)) + "\n"


def _lines(finding: Finding, name: str) -> Iterator[str]:
    requirement = finding.requirement
    yield f"# {requirement.id} fails"
    yield ""
    yield f"{requirement.level}: {requirement.text}"
    yield ""
    yield f"Source: {requirement.source}" + (f" (<{requirement.url}>)" if requirement.url else "")
    yield ""
    failed = f"It fails {finding.failed} of {finding.plays} times on target {_code(finding.target)}."
    yield f"{failed} {finding.reference}".strip()
    yield ""
    yield from _block("text", _told(finding))
    yield "| | recorded | here |"
    yield "| --- | --- | --- |"
    for what, count in finding.after.items():
        yield f"| {what} | {finding.before.get(what, 0)} | {count} |"
    yield ""
    products = ", ".join(f"{product} {version or '?'}" for product, version in finding.sut.items())
    stimulus = finding.stimulus
    yield f"Recorded in run {_code(stimulus['run'])}, case {_code(stimulus['test'])}, on {_code(products)}."
    if finding.hidden:
        yield ""
        yield "Secrets were taken out of the stimulus: in these places it differs from what was recorded."
    yield ""
    yield "## Play it again"
    yield ""
    words = " ".join(["tox -e e2e --", "--replay", name, *finding.options])
    yield from _block("console", [f"$ {PLAIN.one_line(words, LONGEST)}"])
    yield "It exits with 1 where the requirement fails, and with 0 where it holds."
    yield ""
    yield "## By hand"
    yield ""
    yield "On the embedded platform, after the lines that `tox -e up` prints; elsewhere KUBECONFIG, BROKER_INGRESS and"
    yield "KAFKA_BOOTSTRAP are yours to set."
    yield ""
    yield from _block("shell", curl.lines(finding.stimulus, finding.mutants))
    yield "## The stimulus"
    yield ""
    yield FENCE
    yield from to_json(finding.stimulus).split("\n")
    yield "```"


def _told(finding: Finding) -> Iterator[str]:
    words, _, where = finding.message.partition("; where: ")
    yield PLAIN.one_line(words, LONGEST)
    if where:
        yield f"last seen: {PLAIN.one_line(where, LONGEST)}"


def _block(language: str, lines: "Iterator[str] | Sequence[str]") -> Iterator[str]:
    yield f"```{language}"
    # Nobody's line may end the block.
    yield from (f" {line}" if line.lstrip().startswith("```") else line for line in lines)
    yield "```"
    yield ""


def _code(text: str) -> str:
    told = PLAIN.one_line(text, 300).replace("`", "'").replace("|", "\\|").strip()
    return f"`{told}`" if told else "-"
