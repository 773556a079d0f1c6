"""Starlette and FastAPI applications."""

import asyncio

import fastapi
import httpx
import pytest
import web
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from flawless.integrations.asgi import FlawlessASGIMiddleware


async def fail(request):
    await request.form()
    raise ValueError("x")


async def absent(request):
    raise HTTPException(404)


async def later(request):
    async def work():
        raise LookupError("in the background")

    return PlainTextResponse("ok", background=BackgroundTask(work))


async def stream(request):
    async def parts():
        yield b"a"
        raise OSError("while streaming")

    return StreamingResponse(parts())


async def talk(websocket):
    await websocket.accept()
    text = await websocket.receive_text()
    raise RuntimeError(text)


@pytest.fixture
def app():
    routes = [
        Route("/fail", fail, methods=["GET", "POST"]),
        Route("/absent", absent),
        Route("/later", later),
        Route("/stream", stream),
        WebSocketRoute("/talk", talk),
    ]
    app = Starlette(routes=routes)
    app.add_middleware(FlawlessASGIMiddleware)
    return app


def test_an_error_is_reported_once_with_its_form(sink, app):
    client = TestClient(app, raise_server_exceptions=False)
    assert client.post("/fail?a=1", data={"name": "Ann"}).status_code == 500
    (report,) = sink.rest()
    assert report["traceback"][-1]["function_name"] == "fail"
    assert report["additional_info"].startswith("POST /fail?a=1 HTTP/1.1\n")
    assert report["additional_info"].endswith("\n\nname=Ann")


@pytest.mark.parametrize("path, kind", [("/later", "LookupError"), ("/stream", "OSError")])
def test_background_tasks_and_streams_are_watched(sink, app, path, kind):
    TestClient(app, raise_server_exceptions=False).get(path)
    (report,) = sink.rest()
    assert report["exception_type"].endswith(kind)
    assert report["additional_info"].startswith(f"GET {path} ")


def test_websockets_are_watched_and_a_client_that_leaves_is_no_error(sink, app):
    client = TestClient(app)
    with pytest.raises(WebSocketDisconnect):
        with client.websocket_connect("/talk"):
            pass
    assert sink.rest() == []
    with pytest.raises(RuntimeError):
        with client.websocket_connect("/talk") as socket:
            socket.send_text("boo")
            socket.receive_text()
    (report,) = sink.rest()
    assert report["additional_info"].startswith("GET /talk HTTP/1.1")


def test_http_exceptions_are_not_reported(sink, app):
    client = TestClient(app)
    assert client.get("/absent").status_code == 404
    assert client.get("/nowhere").status_code == 404
    assert sink.rest() == []


def test_other_middleware_and_a_second_one_of_ours_do_not_double_it(sink, app):
    class Passing(BaseHTTPMiddleware):
        async def dispatch(self, request, call_next):
            return await call_next(request)

    app.add_middleware(Passing)
    app.add_middleware(FlawlessASGIMiddleware)
    app.add_exception_handler(Exception, lambda request, error: PlainTextResponse("no", 500))
    answer = TestClient(app, raise_server_exceptions=False).get("/fail")
    assert (answer.status_code, answer.text) == (500, "no")
    assert len(sink.rest()) == 1


def test_fastapi_reports_errors_and_not_what_it_answers_itself(sink):
    app = fastapi.FastAPI()
    app.add_middleware(FlawlessASGIMiddleware)

    @app.post("/price")
    def price(data: dict):
        return data["price"]

    @app.get("/items/{number}")
    async def item(number: int):
        raise fastapi.HTTPException(404, "no such item")

    async def talk():
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
            assert (await client.get("/items/x")).status_code == 422
            assert (await client.get("/items/1")).status_code == 404
            assert (await client.post("/price", json={"cost": 1})).status_code == 500

    asyncio.run(talk())
    (report,) = sink.rest()
    assert report["exception_type"].endswith("KeyError")
    assert report["traceback"][-1]["function_name"] == "price"
    assert '"cost"' in report["additional_info"].split("\n\n")[1]


class TestStarlette(web.Checks):
    framework = "Starlette"
    distribution = "starlette"
    shop = "starlette_shop.py"
    transactions = ("/pay/{amount}", "__main__.pay", "starlette_shop.pay")
    mechanism = "asgi"
    paths = {"/known": None, "/later": "OSError", "/talk": "RuntimeError"}

    @staticmethod
    def more(program):
        return web.talk(program, "boo")


class TestFastAPI(TestStarlette):
    framework = "FastAPI"
    distribution = "fastapi"
    command = ("starlette_shop.py", "fastapi")


class TestStarletteInGunicorn(TestStarlette):
    framework = "Starlette in gunicorn"
    command = (
        "-m", "gunicorn", "--bind", "fd://FD", "--worker-class", "uvicorn.workers.UvicornWorker",
        "starlette_shop:app",
    )  # fmt: skip
