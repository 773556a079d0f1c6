"""Serves the programs of these tests at the socket that the test has made, until SIGTERM."""

import os
import signal
import socket
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer


def given_socket():
    """The socket that the test connects to: it listens already."""
    return socket.socket(fileno=int(os.environ["LISTEN_FD"]))


class _Handler(WSGIRequestHandler):
    def log_message(self, *_):
        pass


def wsgi(app):
    """Serve a WSGI application with the server of the standard library."""
    server = WSGIServer(("127.0.0.1", 0), _Handler, bind_and_activate=False)
    server.socket.close()
    server.socket = given_socket()
    server.server_name, server.server_port = server.socket.getsockname()
    server.setup_environ()
    server.set_app(app)
    server.timeout = 0.02
    is_ended = []
    # Not by an exception: the server would catch one that comes while it answers.
    signal.signal(signal.SIGTERM, lambda *_: is_ended.append(True))
    while not is_ended:
        server.handle_request()


def asgi(app):
    """Serve an ASGI application with uvicorn."""
    import uvicorn

    config = uvicorn.Config(app, log_level="error", ws="websockets-sansio")
    uvicorn.Server(config).run(sockets=[given_socket()])


def cherrypy_server():
    """Serve what CherryPy has mounted with its own server, until SIGTERM."""
    import cherrypy
    from cheroot.wsgi import Server
    from cherrypy.process.servers import ServerAdapter

    # It takes a socket as systemd hands one on.
    os.dup2(int(os.environ["LISTEN_FD"]), 3)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1")
    server = Server(("127.0.0.1", 0), cherrypy.tree, numthreads=2)
    cherrypy.server.unsubscribe()
    ServerAdapter(cherrypy.engine, server).subscribe()
    cherrypy.engine.signals.subscribe()
    cherrypy.engine.start()
    cherrypy.engine.block(0.02)
