"""A real OpenID Connect provider on a free port: oidc-provider-mock, which is made of Authlib. It
registers one client, and checks PKCE as a strict provider does. Prints port, client id and secret.
"""
import os
import sys

os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"

import httpx
from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc7636 import CodeChallenge
from oidc_provider_mock import _app, run_server_in_thread

challenges = {}
save = _app.AuthorizationCodeGrant.save_authorization_code
register = AuthorizationServer.register_grant


def save_with_challenge(grant, code, request):
    data = request.payload.data
    assert data.get("code_challenge_method") == "S256", "PKCE is missing"
    challenges[code] = data["code_challenge"]
    save(grant, code, request)


class Challenge(CodeChallenge):
    def get_authorization_code_challenge(self, authorization_code):
        return challenges[authorization_code.code]

    def get_authorization_code_challenge_method(self, authorization_code):
        return "S256"


def register_with_challenge(server, grant, extensions=None):
    if grant is _app.AuthorizationCodeGrant:
        extensions = [*extensions, Challenge(required=True)]
    register(server, grant, extensions)


_app.AuthorizationCodeGrant.save_authorization_code = save_with_challenge
AuthorizationServer.register_grant = register_with_challenge

with run_server_in_thread(require_client_registration=True, require_nonce=True) as server:
    clients = f"http://localhost:{server.server_port}/oauth2/clients"
    client = httpx.post(clients, json={"redirect_uris": [sys.argv[1]]}).json()
    print(server.server_port, client["client_id"], client["client_secret"], flush=True)
    sys.stdin.read()
