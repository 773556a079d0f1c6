"""The names that programs written for Flawless 0.4.5 use."""

from flawless.client.client import (
    capture_exception,
    flush,
    install_scrubbers,
    record_error,
    set_hostports,
)

__all__ = ["capture_exception", "flush", "install_scrubbers", "record_error", "set_hostports"]
