"""Table of contents of what pytest loads; nothing else belongs here. A module stands below those that it imports."""

pytest_plugins = [
    "fixtures.plugin.options",
    "fixtures.plugin.redacting",
    "fixtures.plugin.dry_run",
    "fixtures.plugin.proving",
    "fixtures.plugin.selection",
    "fixtures.plugin.collection",
    "fixtures.plugin.outcomes",
    "fixtures.plugin.namespace",
    "fixtures.plugin.kube",
    "fixtures.plugin.sink",
    "fixtures.plugin.topics",
    "fixtures.plugin.broker",
    "fixtures.plugin.load",
    "fixtures.plugin.pipelines",
    "fixtures.plugin.session",
    "fixtures.plugin.diagnosing",
    "reports.plugin",
]
