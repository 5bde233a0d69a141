"""The walk of a request through an inference graph, as Seldon's executor walks it (predictor_process.go)."""

from collections.abc import Sequence
from functools import partial

from embedded.streaming.models import AGGREGATE, PREDICT, ROUTE, TRANSFORM_INPUT, TRANSFORM_OUTPUT, Model, ModelError
from embedded.streaming.nodes import Node
from embedded.streaming.policies import StreamPolicies

ALL, NONE = -1, -2
"""Answers of a router: all children, and none."""
_BEFORE = {"MODEL": PREDICT, "TRANSFORMER": TRANSFORM_INPUT}


class Graph:
    """An inference graph, and the client that calls its nodes."""

    def __init__(self, root: Node, model: Model, policies: StreamPolicies) -> None:
        self._root, self._model, self._policies = root, model, policies

    async def answer(self, request: bytes, headers: Sequence[tuple[str, str]]) -> bytes:
        """Return what the graph makes of a request.

        Args:
            request: The bytes of the request.
            headers: The headers, or the metadata, of each call.

        Raises:
            ModelError: A node did not answer, or not with what is asked of it.
        """
        return await self._walk(self._root, request, headers)

    async def _walk(self, node: Node, content: bytes, headers: Sequence[tuple[str, str]]) -> bytes:
        before = _BEFORE.get(node.kind)
        if before is not None:
            content = await self._model.call(node, before, content, headers)
        children = self._policies.children(node.children)
        if children:
            content = await self._visit(node, children, content, headers)
        if node.kind == "OUTPUT_TRANSFORMER":
            content = await self._model.call(node, TRANSFORM_OUTPUT, content, headers)
        return content

    async def _visit(
        self, node: Node, children: Sequence[Node], content: bytes, headers: Sequence[tuple[str, str]]
    ) -> bytes:
        """Return what the children, or the one that a router chose, make of a request."""
        route = ALL
        if node.kind == "ROUTER":
            route = self._policies.route(self._route(await self._model.call(node, ROUTE, content, headers)))
        if route == NONE:
            return content
        if route != ALL:
            if not 0 <= route < len(children):
                raise ModelError(f"router {node.name}: route {route} of {len(children)} children")
            return await self._walk(children[route], content, headers)
        visits = [partial(self._walk, child, content, headers) for child in children]
        answers = await self._policies.gathered(node.kind, content, visits)
        if node.kind != "COMBINER":
            return answers[0]
        joined = b"[" + b",".join(self._policies.combined(answers)) + b"]"
        return await self._model.call(node, AGGREGATE, joined, headers)

    def _route(self, answer: bytes) -> int:
        """Return the route that a router answered.

        Raises:
            ModelError: There is none.
        """
        try:
            return self._policies.read_route(answer)
        except ValueError as error:
            raise ModelError(str(error)) from error
