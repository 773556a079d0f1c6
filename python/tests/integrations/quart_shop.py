"""A program with Quart, for the tests."""

import asyncio
import logging

import quart
import serving

import flawless

flawless.init()
app = quart.Quart(__name__)
logging.getLogger().addHandler(logging.NullHandler())


class Known(Exception):
    pass


@app.get("/")
async def home():
    return "welcome"


@app.get("/pay/<amount>")
async def pay(amount):
    amount = int(amount)
    return str(1 / amount)  # fails


@app.post("/form")
async def form():
    form = await quart.request.form
    return str(1 / int(form["amount"]))


@app.get("/who")
async def who():
    flawless.set_user("7")
    flawless.set_tag("shop", "north")
    raise PermissionError("not yours")


@app.get("/absent")
async def absent():
    quart.abort(404)


@app.get("/busy")
async def busy():
    quart.abort(503)


@app.get("/moved")
async def moved():
    return quart.redirect("/")


@app.get("/caught")
async def caught():
    try:
        return [][0]
    except IndexError:
        logging.exception("no books")
        raise


@app.get("/thread")
def thread():
    return {}["in a thread"]


@app.get("/known")
async def known():
    raise Known


@app.get("/broken")
async def broken():
    raise NotImplementedError


@app.before_request
async def check():
    if quart.request.path == "/hook":
        raise LookupError("in a hook")


@app.get("/stream")
async def stream():
    async def parts():
        yield b"a"
        raise ValueError("while streaming")

    return parts()


@app.get("/endless")
async def endless():
    async def parts():
        while True:
            yield b"a" * 1_000
            await asyncio.sleep(0.01)

    return parts()


@app.get("/later")
async def later():
    async def work():
        raise OSError("in the background")

    app.add_background_task(work)
    return "ok"


@app.websocket("/talk")
async def talk():
    raise RuntimeError(await quart.websocket.receive())


@app.errorhandler(Known)
async def answer_known(error):
    return "known", 409


@app.errorhandler(NotImplementedError)
async def answer_broken(error):
    return "broken", 502


@app.errorhandler(Exception)
async def answer_all(error):
    return (error.description, error.code) if hasattr(error, "code") else "sorry"


if __name__ == "__main__":
    serving.asgi(app)
