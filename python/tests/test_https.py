"""Reports over HTTPS go to a server whose certificate the machine trusts, and to no other."""

import contextlib
import http.server
import os
import ssl
import threading

import pytest
import trustme

from test_delivery import run

# The reply of a server that has recorded the report: no fields.
RECORDED = b"\x80\x01\x00\x02\x00\x00\x00\x0crecord_error\x00\x00\x00\x00\x00"


@contextlib.contextmanager
def recording(context=None):
    """A server that takes every report: its port, and the paths and bodies as they come."""
    bodies = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.append((self.path, self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", str(len(RECORDED)))
            self.end_headers()
            self.wfile.write(RECORDED)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("localhost", 0), Handler)
    if context:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server.server_address[1], bodies
    server.shutdown()
    server.server_close()


@pytest.fixture
def https(tmp_path):
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    with recording(context) as (port, bodies):
        yield port, str(tmp_path / "authority.pem"), bodies


PROGRAM = """
import sys, flawless
flawless.init("https://key-1@localhost:" + sys.argv[1] + "/shop")
try:
    raise ValueError("over https")
except ValueError:
    flawless.capture_exception()
print(flawless.flush(5))
"""


def test_a_report_goes_to_a_server_that_is_trusted(https):
    port, authority, bodies = https
    done = run(PROGRAM, port, SSL_CERT_FILE=authority)
    assert (done.stdout, done.stderr) == ("True\n", "")
    ((path, body),) = bodies
    assert path == "/thrift"
    assert b"over https" in body and b"key-1" in body


def test_a_report_does_not_go_to_a_server_that_is_not(https):
    port, _, bodies = https
    done = run(PROGRAM, port, SSL_CERT_FILE=os.devnull)
    assert done.returncode == 0 and done.stdout == "False\n"
    assert "certificate" in done.stderr.lower()
    assert "key-1" not in done.stderr
    assert bodies == []


def test_a_private_authority_is_given_by_option(https, tmp_path):
    port, authority, bodies = https
    program = PROGRAM.replace('"/shop")', '"/shop", ca_file=sys.argv[2])')
    done = run(program, port, authority)
    assert (done.stdout, done.stderr, len(bodies)) == ("True\n", "", 1)
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    done = run(program, port, empty)
    assert done.returncode == 1
    assert "empty.pem: it holds no certificate" in done.stderr


def test_a_certificate_of_its_own_making_says_what_to_do(https):
    port, _, bodies = https
    done = run(PROGRAM, port, SSL_CERT_FILE=os.devnull)
    assert "ca_file" in done.stderr and "SSL_CERT_FILE" in done.stderr
    assert bodies == []
