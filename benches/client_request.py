"""A failing request through a real server on loopback: bare, and with a reporting middleware. The
first ones of a stack are sent; a program under load has to bear the later ones."""
import http.client
import io
import socketserver
import statistics
import threading
import time
import wsgiref.simple_server

import client_subjects

FIRST, REQUESTS = 20, 400


class Handler(wsgiref.simple_server.WSGIRequestHandler):
    def log_message(self, *_):
        pass

    def get_stderr(self):
        return io.StringIO()


class Server(socketserver.ThreadingMixIn, wsgiref.simple_server.WSGIServer):
    daemon_threads = True


def price(environ):
    rows = [{"sku": number, "price": number * 3} for number in range(50)]
    return sum(row["price"] for row in rows) / int(environ.get("HTTP_X_AMOUNT", "0"))


def fails(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"%d" % price(environ)]


def serve(app):
    server = wsgiref.simple_server.make_server("127.0.0.1", 0, app, Server, Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    return server.server_port


def ask(port):
    start = time.perf_counter_ns()
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", "/price?page=2")
    connection.getresponse().read()
    connection.close()
    return (time.perf_counter_ns() - start) / 1e3


def main():
    subject, _ = client_subjects.from_arguments()
    if isinstance(subject, client_subjects.Older):
        # Its middleware does not work with any server.
        client_subjects.answer({})
        return
    subject.start()
    ports = {"bare": serve(fails), "client": serve(subject.middleware(fails))}
    taken = {name: [] for name in ports}
    for number in range(FIRST + REQUESTS):
        for name in sorted(ports, reverse=number % 2 == 1):
            microseconds = ask(ports[name])
            if number >= FIRST:
                taken[name].append(microseconds)
    numbers = {
        "request_bare_us": statistics.median(taken["bare"]),
        "request_client_us": statistics.median(taken["client"]),
    }
    numbers["request_ratio"] = numbers["request_client_us"] / numbers["request_bare_us"]
    client_subjects.answer(numbers)


if __name__ == "__main__":
    main()
