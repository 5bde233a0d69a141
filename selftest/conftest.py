"""What all selftests share: no deadline of Hypothesis, and the order in which workers begin the modules.

The longest modules come first, or one of them would be all that runs at the end.
"""

import pytest
from hypothesis import settings

# A busy machine is slow: no test of ours judges by time, so Hypothesis has no deadline either.
settings.register_profile("touchstone", deadline=None)
settings.load_profile("touchstone")

LONGEST = (
    "reports/test_replay_platform.py",
    "docs/test_extending.py",
    "embedded_kafka/test_kafka_tools.py",
    "embedded_dataplane/test_dataplane_mutants.py",
    "kind/test_target.py",
    "redaction/test_outputs.py",
    "preflight/test_cluster_target.py",
    "embedded_kafka/test_kafka_apache.py",
    "docs/test_contributing.py",
    "walkthrough/test_async_prediction_flow.py",
    "reports/test_report_saboteur.py",
    "docs/test_contributing_requirement.py",
    "reports/test_pages_in_a_browser.py",
    "fixtures/test_again.py",
    "embedded_dataplane/test_stream_mutants.py",
    "embedded_platform/test_exec.py",
    "diagnostics/test_taking.py",
    "kind/test_command_line.py",
    "fixtures/test_probe_pod.py",
    "mutation/test_command.py",
    "fixtures/test_plugin.py",
    "fixtures/test_probe_secured_kafka.py",
    "brokers/test_opaque_brokers.py",
    "reports/test_compare_platform.py",
    "embedded_platform/test_up.py",
    "fixtures/test_up.py",
    "fixtures/test_session_signals.py",
    "fixtures/test_endings.py",
    "mutation/test_running.py",
    "kind/test_lifecycle.py",
    "walkthrough/test_readme.py",
    "embedded_dataplane/test_dataplane.py",
    "embedded_api/test_api_kubectl.py",
    "fixtures/test_vendor_tests.py",
    "fixtures/test_plugin_selection.py",
    "fixtures/test_run_objects.py",
    "fixtures/test_plugin_targets.py",
    "fixtures/test_shortage.py",
    "reports/test_compare_latency.py",
    "reports/test_verify_histories.py",
    "reports/test_verify_attestations.py",
)
"""Modules that take more than five seconds, the longest first; of the others none is long enough to matter."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the longest modules first where workers share them."""
    if hasattr(config, "workerinput"):
        items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    name = item.nodeid.partition("::")[0].removeprefix("selftest/")
    return LONGEST.index(name) if name in LONGEST else len(LONGEST)
