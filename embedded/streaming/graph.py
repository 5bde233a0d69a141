"""The walk of a request through an inference graph, as Seldon's executor walks it (predictor_process.go)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from embedded.streaming.metadata import Pairs
from embedded.streaming.models import Model, ModelError
from embedded.streaming.nodes import AGGREGATE, ROUTE, Node
from embedded.streaming.policies import StreamPolicies
from embedded.streaming.routes import in_array

_Told = TypeVar("_Told")
_Made = TypeVar("_Made")
ALL, NONE = -1, -2
"""Answers of a router: all children, and none."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of the graph: the bytes of a request, and its headers or metadata."""

    request: bytes
    headers: Pairs


class Graph:
    """An inference graph, and the client that calls its nodes."""

    def __init__(self, root: Node, model: Model, policies: StreamPolicies, *, is_grpc: bool) -> None:
        """Take a graph.

        Args:
            root: The node with which it begins.
            model: The client of its nodes.
            policies: How it is walked.
            is_grpc: True where its nodes are called over gRPC, by messages.
        """
        self._root, self._model, self._policies = root, model, policies
        self._read_route = policies.read_message_route if is_grpc else policies.read_route
        self._joined = policies.listed if is_grpc else in_array

    async def answer(self, request: bytes, headers: Pairs) -> bytes:
        """Return what the graph makes of a request.

        Args:
            request: The bytes of the request.
            headers: The headers, or the metadata, of the request.

        Raises:
            ModelError: A node did not answer, or not with what is asked of it.
        """
        return await self._walk(self._root, request, _Asked(request, headers))

    async def _walk(self, node: Node, content: bytes, asked: _Asked) -> bytes:
        policies = self._policies
        if (method := policies.called_before(node.kind)) is not None:
            content = await self._call(node, method, content, asked)
        children = policies.children(node.children)
        if children:
            content = await self._visit(node, children, content, asked)
        if (method := policies.called_after(node.kind)) is not None:
            content = await self._call(node, method, content, asked)
        return content

    async def _call(self, node: Node, method: str, content: bytes, asked: _Asked) -> bytes:
        handed = self._policies.handed(asked.request, content)
        return await self._send(node, method, handed, asked)

    async def _send(self, node: Node, method: str, content: bytes, asked: _Asked) -> bytes:
        headers = self._policies.node_headers(method, asked.headers, is_first=node is self._root)
        return await self._model.call(node, method, content, headers)

    async def _visit(self, node: Node, children: Sequence[Node], content: bytes, asked: _Asked) -> bytes:
        """Return what the children, or the one that a router chose, make of a request."""
        route = ALL
        if node.kind == "ROUTER":
            route = self._policies.route(_made(self._read_route, await self._call(node, ROUTE, content, asked)))
        if route == NONE:
            return content
        if route != ALL:
            if not 0 <= route < len(children):
                raise ModelError(f"router {node.name}: route {route} of {len(children)} children")
            return await self._walk(children[route], content, asked)
        visits = [partial(self._walk, child, content, asked) for child in children]
        answers = await self._policies.gathered(node.kind, content, visits)
        if node.kind != "COMBINER":
            return answers[0]
        combined = [self._policies.handed(asked.request, answer) for answer in self._policies.combined(answers)]
        return await self._send(node, AGGREGATE, _made(self._joined, combined), asked)


def _made(make: Callable[[_Told], _Made], told: _Told) -> _Made:
    """Return what is made of what nodes have told.

    Args:
        make: The function that makes it.
        told: The answer of a node, or those of several.

    Raises:
        ModelError: It cannot be made.
    """
    try:
        return make(told)
    except ValueError as error:
        raise ModelError(str(error)) from error
