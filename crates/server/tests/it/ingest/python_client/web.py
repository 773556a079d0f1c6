from shop.checkout import pay


def application(environ, start_response):
    form = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode()
    start_response("200 OK", [("Content-Type", "text/plain")])
    yield b"paid: "
    yield b"%d" % pay(dict(pair.split("=") for pair in form.split("&")))
