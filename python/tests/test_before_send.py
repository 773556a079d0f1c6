"""What a program does not want to be reported, or wants to be changed before it is sent."""

import pytest

import flawless


class Expected(Exception):
    pass


class MoreExpected(Expected):
    pass


def fail(error):
    try:
        raise error
    except Exception:
        flawless.capture_exception()


@pytest.fixture
def set_up(wire):
    def set_up(**arguments):
        flawless.init(wire.dsn, hooks=False, **arguments)

    set_up.reports = wire
    return set_up


@pytest.mark.parametrize(
    "ignored", [Expected, "Expected", f"{__name__}.Expected", "MoreExpected", MoreExpected]
)
def test_ignored_exceptions_are_not_reported(set_up, ignored):
    set_up(ignore=[ignored, "KeyError"])
    fail(MoreExpected("x"))
    fail(KeyError("x"))
    fail(LookupError("x"))
    (report,) = set_up.reports()
    assert report["exception_type"] == "builtins.LookupError"
    assert report["lost_count"] is None


def test_before_send_changes_and_withholds(set_up):
    def before_send(report, error):
        if isinstance(error, KeyError):
            return None
        assert report["exception_type"] == "builtins.ValueError"
        assert report["breadcrumbs"][0]["message"] == "step"
        report["tags"]["team"] = "shop"
        report["user"] = {}
        report["additional_info"] = "changed"
        report["request"] = None
        report["breadcrumbs"][0]["message"] = "password=hunter2"
        return report

    set_up(before_send=before_send)
    with flawless.scope():
        flawless.set_user("7")
        flawless.add_breadcrumb("step", data={"a": 1})
        fail(KeyError("x"))
        fail(ValueError("x"))
    (report,) = set_up.reports()
    assert (report["tags"], report["user"]) == ({"team": "shop"}, None)
    assert (report["additional_info"], report["request"]) == ("changed", None)
    (crumb,) = report["breadcrumbs"]
    assert (crumb["message"], crumb["data"]) == ("password=**scrubbed**", {"a": "1"})
    assert report["lost_count"] is None


@pytest.mark.parametrize("wrong", [lambda report, error: 1 / 0, lambda *_: 7, lambda: None])
def test_where_before_send_fails_only_the_exception_is_told(set_up, wrong):
    set_up(before_send=wrong)
    with flawless.scope():
        flawless.set_user("7")
        flawless.set_tag("a", "b")
        fail(ValueError("x"))
    (report,) = set_up.reports()
    assert report["traceback"][-1]["function_name"] == "fail"
    assert (report["user"], report["tags"]) == (None, None)
    assert "before_send failed" in report["additional_info"]


def test_what_is_withheld_is_not_counted(set_up):
    set_up(before_send=lambda report, error: None if "no" in str(error) else report)
    for text in ["yes"] * 5 + ["no"] * 5:
        fail(ValueError(text))
    reports = set_up.reports()
    assert sum(report["error_count"] for report in reports) == 5


def test_ordinary_values_are_sent_as_they_are_printed(set_up):
    def before_send(report, error):
        report["tags"] = {"none": None, "n": 7, 5: "five"}
        report["contexts"]["cart"] = {"items": ["book"]}
        assert report["request"].path == "/x"
        return report

    set_up(before_send=before_send)
    try:
        raise ValueError("x")
    except ValueError:
        flawless.capture_exception(request=flawless.Request("GET", "/x"))
    (report,) = set_up.reports()
    assert report["tags"] == {"none": "None", "n": "7", "5": "five"}
    assert report["contexts"] == {"cart": {"items": "['book']"}}
    assert report["request"]["path"] == "/x"


def test_what_a_signal_handler_raises_meanwhile_ends_the_program(program):
    text = """
        import os, signal, sys, time
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))
        def before_send(report, error):
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(0.1)
            return report
        flawless.init(sys.argv[1], before_send=before_send)
        try:
            1 / 0
        except ZeroDivisionError:
            flawless.capture_exception()
        for _ in range(100):
            time.sleep(0.01)
        print("not ended")
    """
    done, _ = program(text, program.dsn)
    assert (done.returncode, done.stdout) == (3, "")
