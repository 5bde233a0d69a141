"""The list of modules that pytest loads, and nothing else. A module stands below those that it imports."""

pytest_plugins = [
    "fixtures.plugin.options",
    "fixtures.plugin.redacting",
    "fixtures.plugin.dry_run",
    "fixtures.plugin.proving",
    "fixtures.plugin.selection",
    "fixtures.plugin.collection",
    "fixtures.plugin.namespace",
    "fixtures.plugin.turns",
    "fixtures.plugin.outcomes",
    "fixtures.plugin.kube",
    "fixtures.plugin.sink",
    "fixtures.plugin.topics",
    "fixtures.plugin.spare",
    "fixtures.plugin.broker",
    "fixtures.plugin.features",
    "fixtures.plugin.load",
    "fixtures.plugin.pipelines",
    "fixtures.plugin.session",
    "fixtures.plugin.diagnosing",
    "reports.plugin",
]
