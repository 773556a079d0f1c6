"""The compared clients, behind a common interface.

Usage of every script that uses this: SCRIPT ours|older|sentry PORT FOLDER PORT is that of a server
on 127.0.0.1 that accepts framed Thrift; FOLDER is empty and writable. The script ends with one line
of JSON: names and numbers.
"""
import contextlib
import json
import signal
import sys

# Every script finishes long before; a hanging client must not hang the benchmark.
PATIENCE_SECONDS = 120


class Ours:
    def __init__(self, port):
        self.hostport = "127.0.0.1:%d" % port
        import flawless

        self.flawless = flawless

    def start(self):
        self.flawless.init(hostports=[self.hostport], hooks=False)
        self.capture = self.flawless.capture_exception
        # Only in builds that have it: forgets which stacks were seen.
        native = getattr(self.flawless, "_flawless", None)
        self.forget = getattr(native, "forget_thinning", None)

    def settle(self):
        """Returns when everything captured is sent."""
        self.flawless.flush(10)

    def ways(self):
        """Yields suffixes for the names of the numbers, with a context for each."""
        yield "", contextlib.nullcontext()

    def breadcrumb(self):
        return self.flawless.add_breadcrumb

    def wrap(self, function):
        from flawless.client.decorators import wrap_function

        return wrap_function(function)

    def middleware(self, app):
        from flawless.client.middleware import FlawlessMiddleware

        return FlawlessMiddleware(app)


class Older(Ours):
    """Flawless 0.4.5, which sends while the program waits."""

    # It has no breadcrumbs.
    breadcrumb = None

    def __init__(self, port):
        self.hostport = "127.0.0.1:%d" % port
        import flawless.client

        self.flawless = flawless

    def start(self):
        from flawless.client import client

        self.flawless.client.set_hostports([self.hostport])
        self.client = client
        self.forget = lambda: setattr(
            client, "ERROR_CACHE", client.ExpiringLRUCache(size=client.LRU_CACHE_SIZE)
        )

    def capture(self):
        self.client.record_error("bench", sys.exc_info())

    def settle(self):
        pass

    def ways(self):
        yield "", contextlib.nullcontext()
        yield "_alone", self.without_sending()

    @contextlib.contextmanager
    def without_sending(self):
        send = self.client._send_request
        self.client._send_request = lambda request: None
        yield
        self.client._send_request = send


class Sentry:
    """sentry-sdk with its defaults; the data it would send is dropped."""

    # It only skips a report of the same exception object.
    forget = staticmethod(lambda: None)

    def __init__(self, port):
        self.port = port
        import sentry_sdk

        self.sentry_sdk = sentry_sdk

    def start(self, is_dropped=True):
        from sentry_sdk.transport import Transport

        class Drop(Transport):
            last = None

            def capture_envelope(self, envelope):
                Drop.last = envelope

        self.drop = Drop
        self.sentry_sdk.init(
            dsn="http://key@127.0.0.1:%d/1" % self.port,
            include_local_variables=True,
            transport=Drop if is_dropped else None,
        )
        self.capture = self.sentry_sdk.capture_exception

    def settle(self):
        pass

    def ways(self):
        yield "", contextlib.nullcontext()

    def breadcrumb(self):
        add = self.sentry_sdk.add_breadcrumb
        return lambda message, category, data=None: add(
            message=message, category=category, data=data
        )

    def middleware(self, app):
        from sentry_sdk.integrations.wsgi import SentryWsgiMiddleware

        return SentryWsgiMiddleware(app)

    def last_report(self):
        """The frames of the last captured report, and its size in bytes."""
        event = self.drop.last.get_event()
        frames = event["exception"]["values"][-1]["stacktrace"]["frames"]
        return frames, len(self.drop.last.serialize())


def from_arguments():
    """The client named on the command line, imported but not started, and the folder."""
    signal.alarm(PATIENCE_SECONDS)
    kind = {"ours": Ours, "older": Older, "sentry": Sentry}[sys.argv[1]]
    return kind(int(sys.argv[2])), folder()


def folder():
    """The empty folder named on the command line."""
    return sys.argv[3]


def answer(numbers):
    print(json.dumps(numbers))
