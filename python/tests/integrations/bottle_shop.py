"""A program with Bottle, for the tests."""

import logging

import bottle
import serving

import flawless

flawless.init()
app = bottle.Bottle()


@app.get("/")
def home():
    return "welcome"


@app.get("/pay/<amount>")
def pay(amount):
    amount = int(amount)
    return str(1 / amount)  # fails


@app.post("/form")
def form():
    return str(1 / int(bottle.request.forms["amount"]))


@app.get("/who")
def who():
    flawless.set_user("7")
    flawless.set_tag("shop", "north")
    raise PermissionError("not yours")


@app.get("/absent")
def absent():
    bottle.abort(404, "no such book")


@app.get("/busy")
def busy():
    bottle.abort(503, "come back later")


@app.get("/moved")
def moved():
    bottle.redirect("/")


@app.get("/caught")
def caught():
    try:
        return [][0]
    except IndexError:
        logging.exception("no books")
        raise


@app.hook("before_request")
def check():
    if bottle.request.path == "/hook":
        raise LookupError("in a hook")


@app.get("/first")
def first():
    raise OSError("before the first part")
    yield "a"


@app.get("/stream")
def stream():
    yield "a"
    raise ValueError("while streaming")


@app.error(500)
def failed(error):
    if bottle.request.path == "/page":
        raise NotImplementedError("in the page")
    return "sorry"


@app.get("/page")
def page():
    return str(1 / 0)


class Book:
    pass


@app.get("/kind")
def kind():
    return Book()


serving.wsgi(app)
