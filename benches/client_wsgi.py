"""The cost of a WSGI request without an error through the middleware, over the bare app."""
import io
import statistics

import client_clock
import client_subjects

REQUESTS, ROUNDS = 200, 101

ENVIRON = {
    "REQUEST_METHOD": "GET",
    "SCRIPT_NAME": "",
    "PATH_INFO": "/orders/48213",
    "QUERY_STRING": "page=2",
    "SERVER_NAME": "shop.example.com",
    "SERVER_PORT": "80",
    "SERVER_PROTOCOL": "HTTP/1.1",
    "REMOTE_ADDR": "192.0.2.7",
    "HTTP_HOST": "shop.example.com",
    "HTTP_USER_AGENT": "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0",
    "HTTP_ACCEPT": "text/html,application/xhtml+xml",
    "HTTP_ACCEPT_LANGUAGE": "en",
    "HTTP_REFERER": "http://shop.example.com/orders",
    "wsgi.version": (1, 0),
    "wsgi.url_scheme": "http",
    "wsgi.input": io.BytesIO(),
    "wsgi.errors": io.StringIO(),
    "wsgi.multithread": True,
    "wsgi.multiprocess": False,
    "wsgi.run_once": False,
}
HEADERS = [("Content-Type", "text/plain")]


def answers_list(environ, start_response):
    start_response("200 OK", HEADERS)
    return [b"hello"]


def answers_generator(environ, start_response):
    start_response("200 OK", HEADERS)
    yield b"hel"
    yield b"lo"


def start_response(status, headers, exc_info=None):
    return None


def serve(app):
    """Serves one request like a WSGI server."""
    body = app(dict(ENVIRON), start_response)
    for _ in body:
        pass
    close = getattr(body, "close", None)
    if close is not None:
        close()


def main():
    subject, _ = client_subjects.from_arguments()
    subject.start()
    numbers = {}
    for what, app in (("wsgi_list", answers_list), ("wsgi_generator", answers_generator)):
        loops = {
            "bare": client_clock.loop("serve(app)", serve=serve, app=app),
            "client": client_clock.loop("serve(app)", serve=serve, app=subject.middleware(app)),
        }
        taken = client_clock.in_turn(loops, REQUESTS, ROUNDS)
        numbers[what + "_bare_us"] = statistics.median(taken["bare"]) / 1e3
        numbers[what + "_client_us"] = client_clock.over(taken, "client", "bare") / 1e3
    client_subjects.answer(numbers)


if __name__ == "__main__":
    main()
