"""The list of modules that pytest loads, and nothing else. A module stands below those that it imports."""

from typing import Any

PLUGINS = (
    "fixtures.plugin.options",
    "fixtures.plugin.redacting",
    "fixtures.plugin.dry_run",
    "fixtures.plugin.proving",
    "fixtures.plugin.scheduling",
    "fixtures.plugin.selection",
    "fixtures.plugin.collection",
    "fixtures.plugin.again",
    "fixtures.plugin.namespace",
    "fixtures.plugin.turns",
    "fixtures.plugin.outcomes",
    "fixtures.plugin.allure_results",
    "fixtures.plugin.kube",
    "fixtures.plugin.sink",
    "fixtures.plugin.topics",
    "fixtures.plugin.spare",
    "fixtures.plugin.brokers",
    "fixtures.plugin.features",
    "fixtures.plugin.neighbours",
    "fixtures.plugin.generated",
    "fixtures.plugin.components",
    "fixtures.plugin.deletion",
    "fixtures.plugin.faults",
    "fixtures.plugin.load",
    "fixtures.plugin.budgets",
    "fixtures.plugin.pipelines",
    "fixtures.plugin.replaying",
    "fixtures.plugin.session",
    "fixtures.plugin.diagnosing",
    "reports.plugin",
)


def pytest_addoption(pluginmanager: Any) -> None:
    """Load the modules. For each name in a list `pytest_plugins`, pytest would read all entry points that there are."""
    for name in PLUGINS:
        pluginmanager.import_plugin(name)
