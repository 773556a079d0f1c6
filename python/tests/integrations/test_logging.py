"""Records of `logging` that carry an exception."""

import logging

import pytest

from flawless.integrations.logging import FlawlessHandler


@pytest.fixture
def logger():
    logger = logging.Logger("shop.orders")
    logger.addHandler(FlawlessHandler())
    return logger


def fail():
    try:
        return 1 / 0
    except ZeroDivisionError as error:
        return error


def test_a_record_with_an_exception_is_reported_with_what_was_logged(sink, logger):
    try:
        1 / 0
    except ZeroDivisionError:
        logger.exception("order %d failed", 7)
    (report,) = sink.rest()
    assert report["exception_type"].endswith("ZeroDivisionError")
    assert report["additional_info"] == (
        "logger: shop.orders\nlevel: ERROR\nmessage: order 7 failed"
    )


def test_records_without_exception_and_below_the_level_are_not_reported(sink, logger):
    logger.error("only words")
    logger.error("a stack", stack_info=True)
    logger.error("nothing is handled", exc_info=True)
    logger.warning("less", exc_info=fail())
    assert sink.rest() == []
    logger.addHandler(FlawlessHandler(level="WARNING"))
    logger.warning("less", exc_info=fail())
    assert len(sink.rest()) == 1


def test_the_same_exception_is_reported_once(sink, logger):
    error = fail()
    logger.addHandler(FlawlessHandler())
    logger.error("first", exc_info=error)
    logger.error("again", exc_info=error)
    assert len(sink.rest()) == 1


def test_a_record_that_cannot_be_formatted_is_reported(sink, logger):
    logger.error("%d %d", "x", exc_info=fail())
    (report,) = sink.rest()
    assert report["additional_info"].endswith("message: %d %d")


def test_filters_are_asked(sink, logger):
    logger.handlers[0].addFilter(lambda record: "skip" not in record.getMessage())
    logger.error("skip this", exc_info=fail())
    logger.error("take this", exc_info=fail())
    assert len(sink.rest()) == 1


def test_a_message_that_cannot_be_sent_as_it_is_does_not_lose_the_error(sink, logger):
    logger.error("half of a pair: \ud800", exc_info=fail())
    (report,) = sink.rest()
    assert report["additional_info"].endswith("message: half of a pair: ?")
