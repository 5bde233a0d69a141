"""A model of KServe's V1 protocol, another one that counts what it is asked at once, and an explainer.

python -m counting --model_name=m --http_port=8080
python -m counting --model_name=m --http_port=8080 --predictor_host=m-predictor.namespace [--transforms]

An instance is a list of numbers. The model `m` answers each with itself, packed where the caller takes gzip, `m-sizes`
with the number of instances that the request has, `m-asked` with how often it was asked of that instance, `m-short`
answers all but the last, `m-busy` answers 503, and `m-heard` answers each with the headers of the request that are a
caller's own, and has a header of its own in its answer. With `--predictor_host` it
is an explainer, which asks the predictor, and with `--transforms` a transformer, which wraps each of its predictions.

`--wraps_as`, or WRAPS_AS in the environment, is the name under which a transformer wraps a prediction; else it is
`transformed`.
LOADING_SECONDS in the environment is how long the model takes to load: until then it is not ready, and predictions are
answered 404. With LOADING_FAILS the model cannot be loaded, and the process ends.
"""

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import aiohttp
from aiohttp import web
from listening import MOST_BYTES, run, serve

GRACE_SECONDS = 5.0
PACKED = "gzip"
OWN = ("authorization", "x-heard-")
SAID_BY = "X-Said-By"
JSON_LENGTH = "Inference-Header-Content-Length"
TIMEOUT = aiohttp.ClientTimeout(total=30)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RefusedError(ValueError):
    """A request that the model does not take; the text says why."""


class Counting:
    """The resources of the model, or of its explainer.

    Args:
        model: The name of the model.
        predictor: The host and port of the predictor; empty: this is the predictor.
        transforms: Whether it is a transformer; only with a predictor.
        loading: The seconds that the model takes to load.
        wraps_as: The name under which a transformer wraps each prediction.
    """

    def __init__(
        self,
        model: str,
        predictor: str = "",
        *,
        transforms: bool = False,
        loading: float = 0.0,
        wraps_as: str = "transformed",
    ) -> None:
        self._model, self._predictor, self._transforms, self._wraps_as = model, predictor, transforms, wraps_as
        self._loaded = time.monotonic() + loading
        self._asked_of: Counter[str] = Counter()

    def application(self) -> web.Application:
        """Return the application that serves these resources."""
        application = web.Application(client_max_size=MOST_BYTES, middlewares=[self.when_loaded])
        path = f"/v1/models/{self._model}"
        application.router.add_get(path, self.status)
        if self._transforms:
            application.router.add_post(f"{path}:predict", self.transform)
        elif self._predictor:
            application.router.add_post(f"{path}:explain", self.explain)
        else:
            application.router.add_post(f"{path}:predict", self.predict)
            application.router.add_post(f"{path}-sizes:predict", self.predict_sizes)
            application.router.add_post(f"{path}-asked:predict", self.predict_asked)
            application.router.add_post(f"{path}-short:predict", self.predict_short)
            application.router.add_post(f"{path}-busy:predict", self.predict_busy)
            application.router.add_post(f"{path}-heard:predict", self.predict_heard)
            application.router.add_post(f"/v2/models/{self._model}/infer", self.infer)
        return application

    @web.middleware
    async def when_loaded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer as a server whose model is not there, until it is."""
        if time.monotonic() >= self._loaded:
            return await handler(request)
        status = 503 if request.method == "GET" else 404
        return web.json_response({"error": f"model {self._model} is not loaded yet"}, status=status)

    async def status(self, _: web.Request) -> web.Response:
        """Answer that the model is ready."""
        return web.json_response({"name": self._model, "ready": True})

    async def predict(self, request: web.Request) -> web.Response:
        """Answer each instance with itself."""
        try:
            answer = web.json_response({"predictions": instances_of(await request.read())})
        except RefusedError as error:
            return web.json_response({"error": str(error)}, status=400)
        if PACKED in request.headers.get("Accept-Encoding", ""):
            answer.enable_compression(web.ContentCoding.gzip)
        return answer

    async def predict_short(self, request: web.Request) -> web.Response:
        """Answer each instance but the last one with itself, as no model should."""
        try:
            return web.json_response({"predictions": instances_of(await request.read())[:-1]})
        except RefusedError as error:
            return web.json_response({"error": str(error)}, status=400)

    async def predict_heard(self, request: web.Request) -> web.Response:
        """Answer each instance with the headers that are the caller's own, sorted, their names in small letters.

        The values of one name are told together, since what hands a request on may join them (RFC 9110, 5.3).
        """
        try:
            instances = instances_of(await request.read())
        except RefusedError as error:
            return web.json_response({"error": str(error)}, status=400)
        names = sorted({name.lower() for name in request.headers if name.lower().startswith(OWN)})
        heard = [[name, ", ".join(request.headers.getall(name))] for name in names]
        return web.json_response({"predictions": [heard] * len(instances)}, headers={SAID_BY: self._model})

    async def predict_busy(self, request: web.Request) -> web.Response:
        """Answer that the model takes no more at the moment."""
        await request.read()
        return web.json_response({"error": f"model {self._model} has too much to do"}, status=503)

    async def predict_sizes(self, request: web.Request) -> web.Response:
        """Answer each instance with how many there are."""
        try:
            instances = instances_of(await request.read())
        except RefusedError as error:
            return web.json_response({"error": str(error)}, status=400)
        return web.json_response({"predictions": [len(instances)] * len(instances)})

    async def predict_asked(self, request: web.Request) -> web.Response:
        """Answer each instance with how often it was asked of so far."""
        try:
            asked = [json.dumps(instance) for instance in instances_of(await request.read())]
        except RefusedError as error:
            return web.json_response({"error": str(error)}, status=400)
        self._asked_of.update(asked)
        return web.json_response({"predictions": [self._asked_of[instance] for instance in asked]})

    async def infer(self, request: web.Request) -> web.Response:
        """Answer the inputs of a V2 request as its outputs, without the data of those whose data is binary."""
        length = request.headers.get(JSON_LENGTH)
        try:
            inputs = json.loads((await request.read())[: length and int(length)])["inputs"]
        except (ValueError, TypeError, KeyError) as error:
            return web.json_response({"error": f"expected an object with inputs: {error}"}, status=400)
        return web.json_response({"model_name": self._model, "outputs": inputs})

    async def explain(self, request: web.Request) -> web.Response:
        """Answer each instance with what the predictor says of it; the predictor gets another body than this one."""
        answer = await self._asked(request)
        if isinstance(answer, web.Response):
            return answer
        explanations = [{"instance": instance, "prediction": prediction} for instance, prediction in answer]
        return web.json_response({"explanations": explanations}, headers=self.told_headers(request.headers))

    async def transform(self, request: web.Request) -> web.Response:
        """Answer each instance with what the predictor says of it, wrapped."""
        answer = await self._asked(request)
        if isinstance(answer, web.Response):
            return answer
        return web.json_response({"predictions": [{self._wraps_as: prediction} for _, prediction in answer]})

    async def _asked(self, request: web.Request) -> web.Response | list[tuple[Any, Any]]:
        """Return each instance of a request with the predictor's prediction; or what its failure is answered with."""
        try:
            instances = instances_of(await request.read())
        except RefusedError as error:
            return web.json_response({"error": str(error)}, status=400)
        url = f"http://{self._predictor}/v1/models/{self._model}:predict"
        try:
            async with (
                aiohttp.ClientSession(timeout=TIMEOUT) as session,
                session.post(url, json={"instances": instances, "explained": True}) as answer,
            ):
                told = await answer.json(content_type=None)
                if answer.status != 200:
                    return web.json_response(told, status=answer.status)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            return web.json_response({"error": f"the predictor does not answer: {error}"}, status=502)
        return list(zip(instances, told["predictions"], strict=True))

    def told_headers(self, headers: Mapping[str, str]) -> Mapping[str, str]:
        """Return those headers of a request for an explanation that its answer has too: none."""
        del headers
        return {}


def instances_of(body: bytes) -> list[Any]:
    """Return the instances of a request, each a list of numbers.

    Raises:
        RefusedError: They are something else.
    """
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RefusedError(f"the body is no JSON: {error}") from error
    instances = value.get("instances") if isinstance(value, dict) else None
    if not isinstance(instances, list):
        raise RefusedError("expected a JSON object with instances, a list")
    for instance in instances:
        if not isinstance(instance, list) or not all(isinstance(number, int | float) for number in instance):
            raise RefusedError(f"expected instances that are lists of numbers, got {json.dumps(instance)[:80]}")
    return instances


def main(kind: type[Counting] = Counting) -> None:
    """Read KServe's flags and serve."""
    parser = argparse.ArgumentParser(prog="counting", description=__doc__, allow_abbrev=False)
    parser.add_argument("--model_name", required=True)
    parser.add_argument("--http_port", type=int, default=8080)
    parser.add_argument("--predictor_host", default="")
    parser.add_argument("--transforms", action="store_true")
    parser.add_argument("--wraps_as", default=os.environ.get("WRAPS_AS") or "transformed")
    arguments, ignored = parser.parse_known_args()
    if ignored:
        print(f"flags without effect here: {' '.join(ignored)}", flush=True)
    if os.environ.get("LOADING_FAILS"):
        sys.exit("counting: the model cannot be loaded")
    made = kind(
        arguments.model_name,
        arguments.predictor_host,
        transforms=arguments.transforms,
        loading=float(os.environ.get("LOADING_SECONDS") or 0),
        wraps_as=arguments.wraps_as,
    )
    run(
        "counting",
        serve(
            arguments.model_name,
            rest_port=arguments.http_port,
            application=made.application(),
            grace=GRACE_SECONDS,
        ),
    )


if __name__ == "__main__":
    main()
