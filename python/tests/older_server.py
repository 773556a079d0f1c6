"""A server with 0.4.5's own generated processor: it writes each report as a line of JSON.

It runs in an environment of its own: 0.4.5 has the same name as the package under test.
"""

import json
import sys
import threading

from flawless.server.api import Flawless
from thrift.protocol import TBinaryProtocol
from thrift.server import TServer
from thrift.transport import TSocket, TTransport

REPORT = [
    "exception_type",
    "exception_message",
    "hostname",
    "error_threshold",
    "additional_info",
    "error_count",
]
FRAME = ["filename", "line_number", "function_name", "text", "frame_locals"]


LOCK = threading.Lock()
REPORTS = open(sys.argv[1], "a", encoding="utf-8")


class Handler:
    def ping(self):
        return True

    def record_error(self, request):
        report = {name: getattr(request, name) for name in REPORT}
        report["traceback"] = [
            {name: getattr(line, name) for name in FRAME} for line in request.traceback
        ]
        with LOCK:
            REPORTS.write(json.dumps(report) + "\n")
            REPORTS.flush()


socket = TSocket.TServerSocket("127.0.0.1", 0)
socket.listen()
print(socket.handle.getsockname()[1], flush=True)
# It listens already.
socket.listen = lambda: None
TServer.TThreadedServer(
    Flawless.Processor(Handler()),
    socket,
    TTransport.TFramedTransportFactory(),
    TBinaryProtocol.TBinaryProtocolFactory(),
).serve()
