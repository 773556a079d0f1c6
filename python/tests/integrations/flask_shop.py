"""A program with Flask, for the tests."""

import logging

import flask
import serving

import flawless

app = flask.Flask(__name__)


class Known(Exception):
    pass


@app.get("/")
def home():
    return "welcome"


@app.get("/pay/<amount>")
def pay(amount):
    amount = int(amount)
    return str(1 / amount)  # fails


@app.post("/form")
def form():
    return str(1 / int(flask.request.form["amount"]))


@app.get("/who")
def who():
    flawless.set_user("7")
    flawless.set_tag("shop", "north")
    raise PermissionError("not yours")


@app.get("/absent")
def absent():
    flask.abort(404)


@app.get("/busy")
def busy():
    flask.abort(503)


@app.get("/moved")
def moved():
    return flask.redirect("/")


@app.get("/caught")
def caught():
    try:
        return [][0]
    except IndexError:
        logging.exception("no books")
        raise


@app.get("/known")
def known():
    raise Known


@app.get("/broken")
def broken():
    raise NotImplementedError


@app.before_request
def check():
    if flask.request.path == "/hook":
        raise LookupError("in a hook")


@app.get("/stream")
def stream():
    def parts():
        yield "a"
        raise ValueError("while streaming")

    return flask.Response(parts())


@app.errorhandler(Known)
def answer_known(error):
    return "known", 409


@app.errorhandler(NotImplementedError)
def answer_broken(error):
    return "broken", 502


@app.errorhandler(Exception)
def answer_all(error):
    return (error.description, error.code) if hasattr(error, "code") else "sorry"


flawless.init()
if __name__ == "__main__":
    serving.wsgi(app)
