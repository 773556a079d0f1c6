"""A real mail server for the tests: aiosmtpd on a free port of loopback. Prints its port, then
each mail it takes as a line: its recipients and its bytes in Base64."""
import argparse
import asyncio
import base64
import socket
import ssl
import sys
import threading

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

arguments = argparse.ArgumentParser()
arguments.add_argument("--port", type=int, default=0)
arguments.add_argument("--refuse", action="append", default=[])
arguments.add_argument("--refuse-with", default="550 5.1.1 no such user here")
arguments.add_argument("--refuse-times", type=int, default=1_000_000)
arguments.add_argument("--refuse-sender", action="store_true")
arguments.add_argument("--hang-at-quit", action="store_true")
arguments.add_argument("--delay", type=float, default=0)
arguments.add_argument("--fail-first", type=int, default=0)
arguments.add_argument("--certificate")
arguments.add_argument("--tls", choices=["none", "starttls", "tls"], default="none")
arguments.add_argument("--login", help="USER:PASSWORD")
options = arguments.parse_args()


printing = threading.Lock()


def say(line):
    """Prints a whole line, whichever thread says it."""
    with printing:
        print(line, flush=True)


class Handler:
    failures = options.fail_first
    refusals = options.refuse_times

    async def handle_MAIL(self, server, session, envelope, address, mail_options):
        if options.refuse_sender:
            return "550 5.7.1 sender domain rejected"
        envelope.mail_from = address
        return "250 OK"

    async def handle_QUIT(self, server, session, envelope):
        await asyncio.sleep(60 if options.hang_at_quit else 0)
        return "221 bye"

    async def handle_RCPT(self, server, session, envelope, address, rcpt_options):
        if address in options.refuse and Handler.refusals > 0:
            Handler.refusals -= 1
            return options.refuse_with
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        await asyncio.sleep(options.delay)
        if Handler.failures > 0:
            Handler.failures -= 1
            return "451 4.3.0 come back later"
        content = base64.b64encode(envelope.content).decode()
        say(f"{','.join(envelope.rcpt_tos)} {content}")
        return "250 kept"


def authenticate(server, session, envelope, mechanism, data):
    given = (data.login + b":" + data.password).decode()
    return AuthResult(success=given == options.login, handled=False)


settings = {}
if options.certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(options.certificate)
    if options.tls == "tls":
        settings["ssl_context"] = context
    else:
        settings.update(tls_context=context, require_starttls=True)
if options.login:
    settings.update(authenticator=authenticate, auth_required=True,
                    auth_require_tls=options.tls == "starttls")


class FreePort(Controller):
    def _trigger_server(self):
        # The base class connects to the port it was given; ours is known only now.
        self.port = self.server.sockets[0].getsockname()[1]
        # Nor does it know a server that talks TLS with a certificate of its own.
        socket.create_connection(("127.0.0.1", self.port)).close()


controller = FreePort(Handler(), hostname="127.0.0.1", port=options.port, **settings)
controller.start()
print(controller.port, flush=True)
# A line asks whether all that was taken has been printed: the answer comes behind it. Ends with
# the test that started it.
for _ in sys.stdin:
    say("")
controller.stop()
