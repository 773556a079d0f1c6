"""A web application that takes the same failing request a thousand times."""
import io
import os
from wsgiref.util import setup_testing_defaults

import flawless
from flawless.client.middleware import FlawlessMiddleware
from shop.web import application

flawless.init(os.environ["DSN"], environment="production", hostname="web-01")
application = FlawlessMiddleware(application)
FORM = os.environ["FORM"].encode()

for _ in range(1000):
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/pay",
        "QUERY_STRING": "day=1&access_token=" + os.environ["QUERY_TOKEN"],
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "shop.example.com",
        "HTTP_AUTHORIZATION": "Bearer " + os.environ["BEARER"],
        "HTTP_COOKIE": "sessionid=" + os.environ["COOKIE"],
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(FORM)),
        "wsgi.input": io.BytesIO(FORM),
    }
    setup_testing_defaults(environ)
    answer = application(environ, lambda status, headers: None)
    try:
        b"".join(answer)
    except Exception as error:
        assert type(error).__name__ == "PaymentError", error
    finally:
        answer.close()
print("alive")
