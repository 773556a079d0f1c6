"""Times statements in turn, so that disturbances of the machine affect all of them."""
import statistics
from itertools import repeat
from time import perf_counter_ns

LOOP = """
def loop(count):
    start = clock()
    for _ in repeat(None, count):
        {statement}
    return (clock() - start) / count
"""


def loop(statement, **names):
    """A function with code of its own, because CPython specializes code for what it calls."""
    names.update(clock=perf_counter_ns, repeat=repeat)
    exec(LOOP.format(statement=statement), names)
    return names["loop"]


def in_turn(loops, count, rounds):
    """Nanoseconds of one statement for each loop: a list with one number per round."""
    for run in loops.values():
        run(count)
    taken = {name: [] for name in loops}
    for number in range(rounds):
        names = list(loops)
        for name in names[number % len(names):] + names[: number % len(names)]:
            taken[name].append(loops[name](count))
    return taken


def over(taken, name, bare):
    """How much longer `name` takes than `bare`, as the median of the rounds."""
    return statistics.median(a - b for a, b in zip(taken[name], taken[bare]))
