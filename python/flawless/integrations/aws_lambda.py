"""AWS Lambda: exceptions of handlers, sent before the response, because the process is frozen
then."""

from __future__ import annotations

import functools
import os
import sys
from typing import Any, Callable, TypeVar

from flawless import _exit, _flawless, _scope
from flawless.integrations._patch import patch
from flawless.integrations._report import report

__all__ = ["switch_on", "watch"]

Handler = TypeVar("Handler", bound=Callable[..., Any])

# Seconds to send waiting reports, once a server has not taken them in time.
_IMPATIENT = 0.1
_was_sent = True


def watch(handler: Handler) -> Handler:
    """Report what a handler raises, and send it before the response. `flawless.init` does so for
    handlers of Amazon's own runtime; this is for other runtimes."""

    @functools.wraps(handler)
    def watched(event: Any, context: Any) -> Any:
        former = _begin()
        try:
            return handler(event, context)
        except BaseException as error:
            _failed(error, context)
            raise
        finally:
            _scope.leave(former)
            _send()

    return watched  # type: ignore[return-value]


def switch_on() -> None:
    """Report what handlers raise, responses that cannot be sent, and handler modules that cannot be
    imported."""
    from awslambdaric import bootstrap
    from awslambdaric.lambda_runtime_client import LambdaRuntimeClient

    running: list[Any] = []

    @patch(bootstrap, "handle_event_request")
    def handle_event_request(former: Any, *args: Any, **kwargs: Any) -> Any:
        before = _begin()
        try:
            return former(*args, **kwargs)
        finally:
            running.clear()
            _scope.leave(before)

    @patch(bootstrap, "create_lambda_context")
    def create_lambda_context(former: Any, *args: Any, **kwargs: Any) -> Any:
        context = former(*args, **kwargs)
        running[:] = [context]
        return context

    # It is called while the failure is being handled.
    @patch(bootstrap, "make_xray_fault")
    def make_xray_fault(former: Any, *args: Any, **kwargs: Any) -> Any:
        _failed(_error_of_handler(bootstrap, sys.exc_info()[1]), running[0] if running else None)
        return former(*args, **kwargs)

    @patch(bootstrap, "build_fault_result")
    def build_fault_result(former: Any, exc_info: Any, *args: Any, **kwargs: Any) -> Any:
        report(exc_info[1], "aws_lambda")
        return former(exc_info, *args, **kwargs)

    # It is made while an import error is handled, and raised for each event.
    @patch(bootstrap.FaultException, "__init__")
    def __init__(former: Any, self: Any, *args: Any, **kwargs: Any) -> None:
        former(self, *args, **kwargs)
        if self.exception_type in (self.IMPORT_MODULE_ERROR, self.USER_CODE_SYNTAX_ERROR):
            report(sys.exc_info()[1], "aws_lambda")

    for name in ("post_invocation_result", "post_invocation_error", "post_init_error"):

        @patch(LambdaRuntimeClient, name)
        def post(former: Any, self: Any, *args: Any, **kwargs: Any) -> Any:
            _send()
            return former(self, *args, **kwargs)


def _error_of_handler(bootstrap: Any, error: Any) -> Any:
    """Return the exception, unless Amazon's side is at fault."""
    fault = bootstrap.FaultException
    if isinstance(error, fault) and error.exception_type != fault.MARSHAL_ERROR:
        return None
    return error


def _begin() -> Any:
    former = _scope.enter()
    _scope.current().transaction = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
    return former


def _failed(error: Any, context: Any) -> None:
    lines = []
    for name in ("function_name", "function_version", "aws_request_id", "invoked_function_arn"):
        try:
            value = getattr(context, name, None)
        except Exception:
            continue
        if type(value) is str:
            lines.append(f"{name}: {value}")
    report(error, "aws_lambda", additional_info="\n".join(lines) or None)


def _send() -> None:
    """Send waiting reports. A server that does not answer delays one response, not all of them."""
    global _was_sent
    try:
        _was_sent = _flawless.flush(_exit.patience() if _was_sent else _IMPATIENT)
    except Exception:
        pass
