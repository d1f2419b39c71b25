from typing import Any

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Response
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from structlog.contextvars import bind_contextvars, get_contextvars

from praxis.kit import observe
from praxis.kit.observe import REGISTRY, ObserveMiddleware, current_trace, metrics_response

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


async def hot(request: Request) -> Response:
    return PlainTextResponse(current_trace().trace_id)


def application() -> FastAPI:
    app, router, inner, mounted = FastAPI(), APIRouter(prefix="/appointments"), APIRouter(), FastAPI()

    @router.get("/{appointment_id}")
    async def read(appointment_id: str) -> Any:
        return {"trace_id": current_trace().trace_id, "bound": get_contextvars()}

    @router.post("/{appointment_id}/cancel")
    async def cancel(appointment_id: str) -> None:
        bind_contextvars(code="cancelled")
        raise RuntimeError("unforeseen")

    @inner.get("/twins/{twin_id}")
    async def twin(twin_id: str) -> Response:
        return Response(status_code=404, headers={"x-trace-id": "from-upstream"})

    @mounted.get("/deep/{deep_id}")
    async def deep(deep_id: str) -> None: ...

    @app.get("/plain/{plain_id}")
    async def plain(plain_id: str) -> None: ...

    router.include_router(inner, prefix="/inner")
    app.include_router(router, prefix="/v1")
    app.router.routes.extend(
        [Route("/hot/{hot_id}", hot), Mount("/files", PlainTextResponse("file")), Mount("/sub", mounted)]
    )
    return app


APP = ObserveMiddleware(application())


async def sent(method: str, path: str, headers: dict[str, str] | None = None) -> httpx.Response:
    transport = httpx.ASGITransport(APP, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.request(method, path, headers=headers)


def counted(method: str, route: str, status_class: str) -> float:
    labels = {"method": method, "route": route, "status_class": status_class}
    return REGISTRY.get_sample_value("praxis_http_requests_total", labels) or 0


def timed(method: str, route: str) -> float:
    return REGISTRY.get_sample_value("praxis_http_request_seconds_count", {"method": method, "route": route}) or 0


@pytest.mark.parametrize(
    ("method", "path", "route", "status_class"),
    [
        ("GET", "/plain/Roe", "/plain/{plain_id}", "2xx"),
        ("GET", "/v1/appointments/Roe", "/v1/appointments/{appointment_id}", "2xx"),
        ("GET", "/v1/appointments/inner/twins/Roe", "/v1/appointments/inner/twins/{twin_id}", "4xx"),
        ("PUT", "/v1/appointments/Roe", "/v1/appointments/{appointment_id}", "4xx"),
        ("POST", "/v1/appointments/Roe/cancel", "/v1/appointments/{appointment_id}/cancel", "5xx"),
        ("GET", "/hot/Roe", "/hot/{hot_id}", "2xx"),
        ("GET", "/files/Roe", "/files", "2xx"),
        ("GET", "/sub/deep/Roe", "/deep/{deep_id}", "2xx"),
        ("GET", "/nowhere/Roe", "unmatched", "4xx"),
    ],
)
async def test_a_request_counts_under_its_route_and_never_its_path(
    method: str, path: str, route: str, status_class: str
) -> None:
    before = counted(method, route, status_class), timed(method, route)
    await sent(method, path)
    assert (counted(method, route, status_class), timed(method, route)) == (before[0] + 1, before[1] + 1)
    assert b"Roe" not in metrics_response()


async def test_an_invented_method_counts_as_other() -> None:
    before = counted("other", "unmatched", "4xx")
    await sent("ROE", "/nowhere")
    assert counted("other", "unmatched", "4xx") == before + 1
    assert b"ROE" not in metrics_response()


@pytest.mark.parametrize("path", ["/v1/appointments/1", "/nowhere"])
async def test_an_answer_names_the_trace_of_its_caller(path: str) -> None:
    answer = await sent("GET", path, {"traceparent": PARENT})
    assert answer.headers.get_list("x-trace-id") == ["4bf92f3577b34da6a3ce929d0e0e4736"]


async def test_the_handler_works_in_the_trace_that_the_answer_names() -> None:
    answer = await sent("GET", "/v1/appointments/1")
    assert answer.json()["trace_id"] == answer.headers["x-trace-id"]
    hot_answer = await sent("GET", "/hot/1")
    assert hot_answer.text == hot_answer.headers["x-trace-id"] != answer.headers["x-trace-id"]


async def test_a_trace_header_from_further_in_is_replaced_not_repeated() -> None:
    answer = await sent("GET", "/v1/appointments/inner/twins/1", {"traceparent": PARENT})
    assert answer.headers.get_list("x-trace-id") == ["4bf92f3577b34da6a3ce929d0e0e4736"]


async def test_nothing_bound_or_traced_is_left_for_the_next_request() -> None:
    before = observe._trace.get()
    await sent("POST", "/v1/appointments/1/cancel", {"traceparent": PARENT})
    assert observe._trace.get() == before
    bind_contextvars(code="left-over")
    assert (await sent("GET", "/v1/appointments/1")).json()["bound"] == {}


async def test_what_is_not_http_passes_through_untouched() -> None:
    seen: list[Any] = []

    async def app(*given: Any) -> None:
        seen.extend(given)

    given = ({"type": "lifespan"}, object(), object())
    await ObserveMiddleware(app)(*given)
    assert all(one is other for one, other in zip(seen, given, strict=True))
