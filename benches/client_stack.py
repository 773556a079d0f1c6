"""Writes modules whose functions fail through twenty frames with ten variables each.

Every module has its own functions, files and values, so that nothing a client caches for one helps
with the next. The calling order of the functions can be chosen: another order is another stack of
known code.
"""
import importlib.util
import os
import random
import subprocess
import sys
import time

FRAMES, LOCALS = 20, 10

HEAD = '''"""Orders on their way through the shop, variant {variant}."""
import dataclasses
import datetime

PLAN = iter(())


@dataclasses.dataclass
class Address:
    street: str
    number: int
    is_checked: bool


class Parcel:
    def __init__(self, weight):
        self.weight = weight


def plan(order):
    """The first of the functions; they will call one another in this order."""
    global PLAN
    PLAN = iter([STEPS[index] for index in order] + [{last}])
    return next(PLAN)
'''

FUNCTION = '''

LINES_{at} = [7919 * piece + {index} for piece in range(8)]
ITEM_{at} = {{"sku": "B-{at}", "pieces": 3, "price": 19.9, "tags": ["new", "blue"]}}
REMARK_{at} = "Please leave parcel {at} with the neighbour. " * 14
THING_{at} = {thing}


def step_{at}_{variant}():
    # Each of the variables is of another type.
    number = 48213 + {index}
    total = 1234.5 + {index}
    customer = "Ada Lovelace {at}"
    remark = REMARK_{at}
    lines = LINES_{at}
    item = ITEM_{at}
    is_paid = {flag}
    bought = datetime.datetime(2024, 5, 17, 12, 30, {index})
    place = ({index}, "shelf", 2.5)
    thing = THING_{at}
    # The next one takes over.
    {end}
'''

NEXT = "return next(PLAN)()"
RAISE = 'raise ValueError("order %d cannot be shipped" % number)'


def text_of(variant):
    parts = [HEAD.format(variant=variant, last="step_%02d_%s" % (FRAMES - 1, variant))]
    for index in range(FRAMES):
        is_even = index % 2 == 0
        part = FUNCTION.format(
            at="%02d" % index,
            index=index,
            variant=variant,
            thing='Address("Long Lane", %d, True)' % index if is_even else "Parcel(%d)" % index,
            flag="None" if is_even else "True",
            end=NEXT if index < FRAMES - 1 else RAISE,
        )
        parts.append(part)
    names = ", ".join("step_%02d_%s" % (index, variant) for index in range(FRAMES - 1))
    parts.append("\n\nSTEPS = [%s]\n" % names)
    return "".join(parts)


class Stacks:
    """Fails in modules below a folder; `modules` is their number."""

    def __init__(self, folder, modules):
        self.folder = folder
        self.made = 0
        self.random = random.Random(7)
        if not os.path.exists(self.path(modules)):
            self.write_and_rerun(modules)

    def fresh(self, count):
        """Modules whose source has not been read yet."""
        return [self.module() for _ in range(count)]

    def write_and_rerun(self, modules):
        """Writes all modules and runs this script in another process, because the files of a
        program exist before it starts. Does not return."""
        for number in range(1, modules + 1):
            with open(self.path(number), "w", encoding="utf-8") as file:
                file.write(text_of("%04d" % number))
        # Process start times have a resolution of a hundredth of a second.
        time.sleep(0.1)
        sys.exit(subprocess.call([sys.executable] + sys.argv))

    def path(self, number):
        return os.path.join(self.folder, "orders_%04d.py" % number)

    def module(self):
        self.made += 1
        name = "orders_%04d" % self.made
        path = self.path(self.made)
        spec = importlib.util.spec_from_file_location(name, path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    def order(self, is_new):
        """An order of all functions: the usual one, or a new one."""
        order = list(range(FRAMES - 1))
        if is_new:
            self.random.shuffle(order)
        return order


def frames_of(error):
    """The innermost frames of an exception, as many as the modules have functions."""
    found, traceback = [], error.__traceback__
    while traceback is not None:
        found.append(traceback.tb_frame)
        traceback = traceback.tb_next
    return found[-FRAMES:]
