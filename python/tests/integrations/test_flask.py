"""Flask applications."""

import flask
import pytest
import web

import flawless.integrations.flask


@pytest.fixture
def app():
    app = flask.Flask("shop")
    flawless.integrations.flask.init_app(app)
    flawless.integrations.flask.init_app(app)

    @app.route("/pay", methods=["GET", "POST"])
    def pay():
        amount = flask.request.form.get("amount", "0")
        return str(1 / int(amount))

    @app.route("/stream")
    def stream():
        def parts():
            yield "a"
            raise ValueError("while streaming")

        return flask.Response(parts())

    @app.route("/absent")
    def absent():
        flask.abort(404)

    return app


def test_an_error_of_a_view_is_reported_once_with_its_form(sink, app):
    answer = app.test_client().post("/pay?from=cart", data={"amount": "0", "name": "Ann"})
    assert answer.status_code == 500
    (report,) = sink.rest()
    assert report["exception_type"].endswith("ZeroDivisionError")
    assert report["traceback"][-1]["function_name"] == "pay"
    assert report["additional_info"].startswith("POST /pay?from=cart HTTP/1.1\nContent-Length")
    assert report["additional_info"].endswith("\n\namount=0&name=Ann")


def test_an_error_that_is_raised_to_the_server_is_reported_once(sink, app):
    app.config["PROPAGATE_EXCEPTIONS"] = True
    with pytest.raises(ZeroDivisionError):
        app.test_client().get("/pay")
    assert len(sink.rest()) == 1


def test_an_error_of_a_streamed_answer_is_reported(sink, app):
    with pytest.raises(ValueError):
        app.test_client().get("/stream").get_data()
    (report,) = sink.rest()
    assert report["additional_info"].startswith("GET /stream HTTP/1.1")


def test_http_exceptions_and_handled_errors_are_not_reported(sink, app):
    app.register_error_handler(ZeroDivisionError, lambda error: ("no amount", 400))
    assert app.test_client().get("/absent").status_code == 404
    assert app.test_client().get("/nowhere").status_code == 404
    assert app.test_client().get("/pay").status_code == 400
    assert sink.rest() == []


def test_an_error_page_does_not_hide_the_error(sink, app):
    app.register_error_handler(500, lambda error: ("sorry", 500))
    assert app.test_client().get("/pay").data == b"sorry"
    assert len(sink.rest()) == 1


class TestFlask(web.Checks):
    framework = "Flask"
    distribution = "flask"
    shop = "flask_shop.py"
    transactions = ("/pay/<amount>",)
    paths = {"/busy": "ServiceUnavailable", "/known": None, "/broken": "NotImplementedError"}


class TestFlaskInGunicorn(TestFlask):
    framework = "Flask in gunicorn"
    command = ("-m", "gunicorn", "--bind", "fd://FD", "flask_shop:app")
