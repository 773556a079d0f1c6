"""What a signal handler raises, above all that of Ctrl-C, reaches the program, once and at once; and
a program that forks does not wait for a thread that is not there."""

import socket
import sys
import textwrap
import time

import pytest
from test_delivery import START, run

# Where the tests run in the background of a script, Ctrl-C is ignored, and so it would be here.
CTRL_C = """
import signal, threading, time
signal.signal(signal.SIGINT, signal.default_int_handler)
"""

VALUES = """
import datetime, decimal, pathlib
class Order:
    def __init__(self):
        self.total = 1.5
        self.limit = decimal.Decimal("2.5")
        self.day = datetime.date(2026, 1, 1)
    def __repr__(self):
        return f"<Order {self.total} {self.limit} {self.day} {self.total:.3f}>"
def fail(text="x"):
    orders, paths, token = [Order() for _ in range(20)], [pathlib.Path("/srv/x")] * 5, print
    tokens = {f"token{n}": print for n in range(50)}
    try:
        raise ValueError(text)
    except ValueError:
        flawless.capture_exception()
"""


@pytest.mark.parametrize(
    "work",
    ["fail()", "fail_anew()", "wrapped()", "fail_anew(); flawless.flush(0.01)"],
)
def test_whenever_a_program_is_interrupted_it_hears_of_it_exactly_once(sink, work):
    program = f"""
        import random
        from flawless.client.decorators import wrap_function
        # A timer interrupts also where no other thread could.
        signal.signal(signal.SIGALRM, signal.default_int_handler)
        chance = random.Random(7)
        def fail_anew():
            flawless._flawless.forget_thinning()
            fail()
        @wrap_function(reraise_exception=False)
        def wrapped():
            flawless._flawless.forget_thinning()
            order, token = Order(), print
            raise KeyError("k")
        # Python 3.13 itself does not catch what is raised where a loop begins again, in the function
        # of the loop.
        def work():
            signal.setitimer(signal.ITIMER_REAL, chance.uniform(0.0005, 0.02))
            until = time.monotonic() + 2
            while time.monotonic() < until:
                {work}
        interrupted = 0
        for _ in range(40):
            try:
                work()
            except KeyboardInterrupt:
                interrupted += 1
        print(interrupted)
    """
    done = run(START + CTRL_C + VALUES + textwrap.dedent(program), sink.port)
    assert (done.returncode, done.stdout, done.stderr) == (0, "40\n", "")


@pytest.fixture
def hanging():
    """The port of a server that takes reports and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


PATIENT = """
flawless.init(hostports=["127.0.0.1:" + sys.argv[1]], timeout=30, flush_at_exit=float(sys.argv[2]))
def interrupt():
    time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGINT)
threading.Thread(target=interrupt, daemon=True).start()
fail()
"""


def test_ctrl_c_ends_a_flush(hanging):
    program = """
        try:
            flawless.flush(30)
        except KeyboardInterrupt:
            print("interrupted")
    """
    begin = time.monotonic()
    done = run(START + CTRL_C + PATIENT + textwrap.dedent(program), hanging, 0)
    assert (done.returncode, done.stdout) == (0, "interrupted\n")
    assert time.monotonic() - begin < 10


def test_ctrl_c_ends_a_program_that_sends_before_it_ends(hanging):
    begin = time.monotonic()
    run(START + CTRL_C + PATIENT, hanging, 30)
    assert time.monotonic() - begin < 10


def test_ctrl_c_ends_a_loop_that_reports(sink):
    program = """
        def interrupt():
            time.sleep(0.2)
            os.kill(os.getpid(), signal.SIGINT)
        def work():
            threading.Thread(target=interrupt).start()
            while True:
                fail()
                time.sleep(0.01)
        try:
            work()
        except KeyboardInterrupt:
            print("interrupted")
    """
    done = run(START + CTRL_C + textwrap.dedent(program), sink.port)
    assert (done.returncode, done.stdout, done.stderr) == (0, "interrupted\n", "")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a thread takes")
def test_the_thread_that_sends_takes_no_signals_of_the_program(sink):
    # Python 3.9 would not see them before its own threads take turns.
    program = """
        import pathlib
        fail()
        assert flawless.flush(10)
        for task in pathlib.Path("/proc/self/task").iterdir():
            if (task / "comm").read_text() == "flawless\\n":
                (held,) = [line for line in (task / "status").open() if line.startswith("SigBlk")]
                held = int(held.split()[1], 16)
                print([bool(held >> number - 1 & 1) for number in (signal.SIGINT, signal.SIGALRM)])
        print(signal.pthread_sigmask(signal.SIG_BLOCK, []))
    """
    done = run(START + CTRL_C + textwrap.dedent(program), sink.port)
    assert (done.returncode, done.stdout) == (0, "[True, True]\nset()\n"), done.stderr


def test_a_report_imports_nothing(sink):
    # An import holds a lock, for which a child that is forked meanwhile would wait for ever.
    program = """
        import builtins
        genuine, imported = builtins.__import__, []
        def tell(name, *arguments, **named):
            imported.append(name)
            return genuine(name, *arguments, **named)
        builtins.__import__ = tell
        fail()
        print(imported)
    """
    done = run(START + CTRL_C + VALUES + textwrap.dedent(program), sink.port)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def test_a_fork_while_a_thread_reports_for_the_first_time_does_not_hang(sink):
    program = """
        sys.setswitchinterval(0.0001)
        is_over = []
        def first():
            fail()
            is_over.append(True)
        def child():
            signal.alarm(10)
            fail()
            os._exit(0)
        threading.Thread(target=first).start()
        children = []
        while not is_over and len(children) < 50:
            children.append(os.fork() or child())
        print([end for _, end in (os.waitpid(child, 0) for child in children) if end])
    """
    program = START + CTRL_C + VALUES + textwrap.dedent(program)
    for _ in range(3):
        done = run(program, sink.port)
        assert (done.returncode, done.stdout) == (0, "[]\n"), done.stderr
