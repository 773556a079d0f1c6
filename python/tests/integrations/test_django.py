"""Django projects, by settings only, served by WSGI and by ASGI."""

import asyncio
from wsgiref.util import FileWrapper

import django
import django_shop
import pytest
import web
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.core.exceptions import ImproperlyConfigured
from django.core.wsgi import get_wsgi_application
from django.test import Client, override_settings
from django.test.client import RequestFactory


settings.configure(**django_shop.SETTINGS)
django.setup()


@pytest.fixture
def client(sink):
    return Client(raise_request_exception=False)


def test_an_error_of_a_view_is_reported_once_with_its_form(sink, client):
    assert client.post("/pay/?from=cart", {"amount": "0", "name": "Ann"}).status_code == 500
    (report,) = sink.rest()
    assert report["exception_type"].endswith("ZeroDivisionError")
    assert report["traceback"][-1]["function_name"] == "pay"
    assert report["traceback"][-1]["frame_locals"]["amount"] == "'0'"
    first, *_ = report["additional_info"].splitlines()
    assert first == "POST /pay/?from=cart HTTP/1.1"
    assert report["additional_info"].endswith("\n\namount=0&name=Ann")


def test_a_plain_form_and_json_are_told_as_far_as_they_were_read(sink, client):
    client.post("/pay/", "amount=0&x=1", content_type="application/x-www-form-urlencoded")
    assert sink.next()["additional_info"].endswith("\n\namount=0&x=1")
    client.post("/json/", '{"a": 1}', content_type="application/json")
    assert sink.next()["additional_info"].endswith('\n\n{"a": ')
    client.post("/unread/", '{"a": 1}', content_type="application/json")
    assert "\n\n" not in sink.next()["additional_info"]


@pytest.mark.parametrize("kind", ["404", "403", "400"])
def test_what_django_answers_itself_is_not_reported(sink, client, kind):
    assert client.get(f"/answer/{kind}/").status_code == int(kind)
    assert sink.rest() == []


def test_an_error_of_other_middleware_is_reported(sink, client):
    assert client.get("/pay/?middleware").status_code == 500
    (report,) = sink.rest()
    assert report["exception_type"].endswith("LookupError")
    assert report["additional_info"].startswith("GET /pay/?middleware ")


def test_an_error_of_a_streamed_answer_is_reported(sink, client):
    with pytest.raises(ValueError):
        b"".join(client.get("/stream/").streaming_content)
    (report,) = sink.rest()
    assert report["additional_info"].startswith("GET /stream/ ")


def test_files_are_left_to_the_server():
    environ = RequestFactory().get("/file/").environ
    environ["wsgi.file_wrapper"] = FileWrapper
    answer = get_wsgi_application()(environ, lambda *_: None)
    assert isinstance(answer, FileWrapper)
    answer.close()


def talk_to_asgi(method, path, body=b"", content_type=b""):
    messages = [{"type": "http.request", "body": body}]
    sent = []

    async def receive():
        if messages:
            return messages.pop(0)
        await asyncio.sleep(60)

    async def send(message):
        sent.append(message)

    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": query.encode(),
        "http_version": "2",
        "headers": [(b"content-type", content_type), (b"host", b"shop")],
    }
    asyncio.run(get_asgi_application()(scope, receive, send))
    return sent


@pytest.mark.parametrize("path", ["/pay/", "/async/"])
def test_views_are_watched_under_asgi(sink, path):
    form = b"amount=0&name=Ann"
    sent = talk_to_asgi("POST", path + "?a=1", form, b"application/x-www-form-urlencoded")
    assert sent[0]["status"] == 500
    (report,) = sink.rest()
    assert report["traceback"][-1]["function_name"] in ("pay", "pay_async")
    assert report["additional_info"].startswith(f"POST {path}?a=1 HTTP/2\n")
    assert report["additional_info"].endswith("\n\namount=0&name=Ann")


def test_other_middleware_and_streamed_answers_are_watched_under_asgi(sink):
    assert talk_to_asgi("GET", "/pay/?middleware")[0]["status"] == 500
    assert len(sink.rest()) == 1
    assert talk_to_asgi("GET", "/answer/404/")[0]["status"] == 404
    assert sink.rest() == []
    with pytest.raises(ValueError):
        talk_to_asgi("GET", "/stream-async/")
    assert len(sink.rest()) == 1


def test_the_settings_set_the_client_up(sink):
    options = {"hostports": [f"127.0.0.1:{sink.port}"], "hostname": "web-7", "hooks": False}
    with override_settings(FLAWLESS=options):
        Client(raise_request_exception=False).get("/pay/")
    assert sink.next()["hostname"] == "web-7"


@pytest.mark.parametrize(
    "wrong, hint",
    [
        ({"FLAWLESS": {"enviroment": "test"}}, "did you mean 'environment'"),
        ({"FLAWLESS": {"zzz": 1}}, "it knows dsn, hostports"),
        ({"FLAWLESS": ["x"]}, "must be a dict"),
        ({"FLAWLESS_DSN": "nonsense"}, "FLAWLESS_DSN"),
        ({"FLAWLESS_DSN": 5}, "dsn must be a string"),
        ({"FLAWLESS_DSN": "http://k@h/p", "FLAWLESS": {"dsn": "http://k@h/p"}}, "twice"),
        ({"FLAWLESS": {"timeout": 0}}, "timeout must be more than 0"),
    ],
)
def test_wrong_settings_stop_the_start_with_the_hint(wrong, hint, monkeypatch):
    monkeypatch.delenv("FLAWLESS_DSN", raising=False)
    with override_settings(**wrong), pytest.raises(ImproperlyConfigured, match=hint):
        get_wsgi_application()


def test_without_settings_the_client_stays_as_the_program_has_set_it_up(sink):
    with override_settings(FLAWLESS_DSN="", FLAWLESS={}):
        Client(raise_request_exception=False).get("/pay/")
    assert len(sink.rest()) == 1


class TestDjango(web.Checks):
    framework = "Django (WSGI)"
    distribution = "django"
    shop = "django_site.py"
    transactions = ("pay/<amount>",)
    paths = {"/known": None, "/broken": "NotImplementedError", "/later": "KeyError"}


class TestDjangoOfASGI(TestDjango):
    framework = "Django (ASGI)"
    command = ("django_site.py", "asgi")
