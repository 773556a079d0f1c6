"""The cost of capturing an exception for the thread that raised it, in microseconds.

Every captured exception is reported in full: it comes from a new module, or the client was made to
forget the stack. Only one is sent at a time: the next is raised once the client has sent the last.
"""
import linecache
import statistics
import time
from time import perf_counter_ns

import client_stack
import client_subjects

FIRST, AGAIN, MODULES = 60, 300, 10
CUT = 250


def once(entry, capture):
    """Time from before the raise until the exception is freed. The same line for all captures."""
    start = perf_counter_ns()
    try:
        entry()
    except ValueError:
        capture()
    return perf_counter_ns() - start


def nothing():
    pass


def median_us(numbers):
    return statistics.median(numbers) / 1e3


class Measured:
    """Pairs of a bare raise and a captured one over the same code."""

    def __init__(self, subject):
        self.subject = subject
        self.bare, self.over, self.cpu = [], [], []

    def pair(self, module, order):
        # The first lets CPython specialize the code, the second is the bare one.
        once(module.plan(order), nothing)
        bare = once(module.plan(order), nothing)
        entry = module.plan(order)
        cpu = time.process_time_ns()
        taken = once(entry, self.subject.capture)
        self.subject.settle()
        self.cpu.append(time.process_time_ns() - cpu - bare)
        self.bare.append(bare)
        self.over.append(taken - bare)


def measure(subject, stacks):
    """The times of stacks seen for the first time and of stacks whose source is known."""
    for module in stacks.fresh(MODULES):
        Measured(subject).pair(module, stacks.order(False))
    first = Measured(subject)
    modules = stacks.fresh(FIRST)
    for module in modules:
        first.pair(module, stacks.order(False))
    again = Measured(subject)
    can_forget = subject.forget is not None
    for number in range(AGAIN):
        if can_forget:
            subject.forget()
        again.pair(modules[number % MODULES], stacks.order(not can_forget))
    return first, again


def floors(stacks):
    """The unavoidable work for the same values, in the plainest Python."""
    module = stacks.module()
    error = raised(module.plan(stacks.order(False)))
    values = [value for frame in client_stack.frames_of(error) for value in frame.f_locals.values()]
    assert len(values) == client_stack.FRAMES * client_stack.LOCALS, len(values)
    whole, cut, walked = [], [], []
    for _ in range(AGAIN):
        start = perf_counter_ns()
        for value in values:
            repr(value)
        whole.append(perf_counter_ns() - start)
        start = perf_counter_ns()
        for value in values:
            repr(value)[:CUT]
        cut.append(perf_counter_ns() - start)
        error = raised(module.plan(stacks.order(False)))
        start = perf_counter_ns()
        report_of(error)
        walked.append(perf_counter_ns() - start)
    return {
        "floor_repr_us": median_us(whole),
        "floor_repr_cut_us": median_us(cut),
        "floor_walk_us": median_us(walked),
    }


def raised(entry):
    try:
        entry()
    except ValueError as error:
        return error


def report_of(error):
    """Path, function, line, text and variables of each frame."""
    lines, traceback = [], error.__traceback__
    while traceback is not None:
        frame, number = traceback.tb_frame, traceback.tb_lineno
        path = frame.f_code.co_filename
        text = linecache.getline(path, number, frame.f_globals)
        variables = {name: repr(value)[:CUT] for name, value in frame.f_locals.items()}
        lines.append((path, number, frame.f_code.co_name, text, variables))
        traceback = traceback.tb_next
    return lines


def main():
    stacks = client_stack.Stacks(client_subjects.folder(), 2 * (MODULES + FIRST) + 1)
    subject, _ = client_subjects.from_arguments()
    subject.start()
    numbers = {"captured": 0, "forgets": float(subject.forget is not None)}
    for way, context in subject.ways():
        with context:
            first, again = measure(subject, stacks)
        numbers["first%s_us" % way] = median_us(first.over)
        numbers["again%s_us" % way] = median_us(again.over)
        numbers["again%s_cpu_us" % way] = median_us(again.cpu)
        if not way:
            numbers["raise_us"] = median_us(again.bare)
            numbers["captured"] = MODULES + FIRST + AGAIN
    if hasattr(subject, "last_report"):
        frames, size = subject.last_report()
        numbers["report_kb"] = size / 1e3
        numbers["full_frames"] = sum(len(frame["vars"]) >= client_stack.LOCALS for frame in frames)
    numbers.update(floors(stacks))
    client_subjects.answer(numbers)


if __name__ == "__main__":
    main()
