"""The cost of a wrapped call without an exception over the bare call, in nanoseconds."""
import functools
import statistics

import client_clock
import client_subjects

CALLS, ROUNDS = 10_000, 101


def plain(function):
    """The minimum that a wrapper written in Python does."""

    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        except Exception:
            raise

    return wrapper


def add(a, b):
    return a


def counter_with(wrap):
    class Counter:
        @wrap
        def add(self, a):
            return a

    return Counter()


def main():
    subject, _ = client_subjects.from_arguments()
    wrappers = {"bare": lambda function: function, "plain": plain}
    if hasattr(subject, "wrap"):
        subject.start()
        wrappers["client"] = subject.wrap
    numbers = {}
    for what, statement in (("call", "f(1, 2)"), ("keywords", "f(1, b=2)"), ("method", "o.add(1)")):
        loops = {
            name: client_clock.loop(statement, f=wrap(add), o=counter_with(wrap))
            for name, wrap in wrappers.items()
        }
        taken = client_clock.in_turn(loops, CALLS, ROUNDS)
        numbers[what + "_bare_ns"] = statistics.median(taken["bare"])
        for name in list(wrappers)[1:]:
            numbers["%s_%s_ns" % (what, name)] = client_clock.over(taken, name, "bare")
    client_subjects.answer(numbers)


if __name__ == "__main__":
    main()
