"""In the place of requests in a stand-in's machine: pytest-kind imports it for downloads that we never let it begin."""
