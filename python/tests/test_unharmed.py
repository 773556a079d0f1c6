"""A program does and says the same with the client as without: each is run both ways."""

import os
import subprocess
import sys
import textwrap

import pytest

BEGIN = """\
import os, sys, threading, time
if os.environ.get("FLAWLESS_PORT"):
    import flawless
    flawless.init(hostports=["127.0.0.1:" + os.environ["FLAWLESS_PORT"]])
    capture = flawless.capture_exception
else:
    def capture():
        pass
"""


@pytest.fixture
def same(sink, tmp_path):
    """Runs a program with and without; answers what was reported."""

    def same(program, code=0, begin=BEGIN):
        path = tmp_path / "program.py"
        path.write_text(begin + textwrap.dedent(program))
        clean = {key: value for key, value in os.environ.items() if not key.startswith("FLAWLESS")}
        runs = [
            subprocess.run(
                [sys.executable, str(path)],
                cwd=tmp_path, env={**clean, **more}, capture_output=True, text=True, timeout=60,
            )
            for more in ({}, {"FLAWLESS_PORT": str(sink.port)})
        ]
        bare, watched = [(run.returncode, run.stdout, run.stderr) for run in runs]
        assert watched == bare
        assert watched[0] == code, watched
        return sink.rest()

    return same


def shown(report, name):
    return report["traceback"][-1]["frame_locals"][name]


@pytest.mark.parametrize("what", ["time.sleep(600)", "[time.sleep(0.001) for _ in range(9999)]"])
def test_a_slow_repr_at_the_end_of_the_interpreter_does_not_change_how_it_ends(same, what):
    program = f"""
        class Slow:
            def __repr__(self):
                {what}
                return "slow"
        def fail():
            slow = Slow()
            raise ValueError("x")
        def busy():
            while True:
                try:
                    fail()
                except ValueError:
                    capture()
                begun.set()
        begun = threading.Event()
        for _ in range(3):
            threading.Thread(target=busy, daemon=True).start()
        begun.wait()
        try:
            fail()
        except ValueError:
            capture()
        sys.exit(3)
    """
    for _ in range(3):
        assert same(program, 3)


def test_a_slow_loader_in_a_daemon_thread_does_not_change_how_the_program_ends(same):
    program = """
        class Loader:
            def get_source(self, name):
                reading.set()
                while True:
                    time.sleep(0.001)
        def busy():
            code = compile("1 / 0", "no such file.py", "exec")
            try:
                exec(code, {"__name__": "slow", "__loader__": Loader(), "__file__": "no such file.py"})
            except ZeroDivisionError:
                capture()
                reading.set()
        reading = threading.Event()
        threading.Thread(target=busy, daemon=True).start()
        reading.wait()
        sys.exit(3)
    """
    same(program, 3)


def test_a_slow_showwarning_in_a_daemon_thread_does_not_change_how_the_program_ends(same):
    program = """
        import socket, warnings
        if os.environ.get("FLAWLESS_PORT"):
            with socket.socket() as closed:
                closed.bind(("127.0.0.1", 0))
                flawless.init(hostports=["127.0.0.1:%d" % closed.getsockname()[1]])
        def slow(*args, **kwargs):
            showing.set()
            while True:
                time.sleep(0.001)
        warnings.showwarning = slow
        showing = threading.Event()
        def busy():
            for _ in range(500):
                try:
                    1 / 0
                except ZeroDivisionError:
                    capture()
                time.sleep(0.01)
            showing.set()
        if os.environ.get("FLAWLESS_PORT"):
            threading.Thread(target=busy, daemon=True).start()
            showing.wait()
        sys.exit(3)
    """
    same(program, 3)


def test_what_is_lazy_is_not_loaded(same):
    program = """
        from sqlalchemy import ForeignKey, create_engine, event
        from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship
        from sqlalchemy.pool import StaticPool
        class Base(DeclarativeBase):
            pass
        class User(Base):
            __tablename__ = "users"
            id: Mapped[int] = mapped_column(primary_key=True)
            name: Mapped[str]
        class Order(Base):
            __tablename__ = "orders"
            id: Mapped[int] = mapped_column(primary_key=True)
            user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
            user: Mapped[User] = relationship()
            def __repr__(self):
                return f"<Order of {self.user.name}>"
        engine = create_engine("sqlite://", poolclass=StaticPool)
        Base.metadata.create_all(engine)
        asked = []
        event.listen(engine, "before_cursor_execute",
                     lambda c, cursor, sql, *_: asked.append(sql.split()[0]))
        with Session(engine) as session:
            session.add(User(id=1, name="Ann"))
            session.add(Order(id=1, user_id=1))
            session.commit()
            order = session.get(Order, 1)
            def close(order, n):
                return [1][n + 9]
            for expire in (False, True):
                if expire:
                    session.commit()
                asked.clear()
                try:
                    close(order, 0)
                except IndexError:
                    capture()
                print(asked, session.in_transaction())
            print(order, order.user.name)
            try:
                close(order, 0)
            except IndexError:
                capture()
    """
    loaded, expired, with_user = same(program)
    assert shown(loaded, "order").startswith("<__main__.Order ")
    assert "user_id=1" in shown(loaded, "order")
    assert shown(expired, "order").startswith("<__main__.Order object at")
    assert shown(with_user, "order") == "<Order of Ann>"


def test_a_model_of_django_does_not_ask_its_database(same):
    program = """
        import tempfile
        import django
        from django.conf import settings
        folder = tempfile.mkdtemp()
        database = {"ENGINE": "django.db.backends.sqlite3", "NAME": os.path.join(folder, "db")}
        settings.configure(DATABASES={"default": database}, INSTALLED_APPS=[], USE_TZ=True)
        django.setup()
        from django.db import connection, models
        from django.db.backends.signals import connection_created
        opened = []
        connection_created.connect(lambda **_: opened.append(threading.current_thread().name),
                                   weak=False)
        class User(models.Model):
            name = models.CharField(max_length=9)
            class Meta:
                app_label = "x"
        class Order(models.Model):
            user = models.ForeignKey(User, on_delete=models.CASCADE)
            class Meta:
                app_label = "x"
            def __str__(self):
                asked.append(self.user.name)
                return f"order of {self.user.name}"
        asked = []
        with connection.schema_editor() as editor:
            editor.create_model(User)
            editor.create_model(Order)
        Order.objects.create(user=User.objects.create(name="Ann"))
        def close(orders):
            order = orders.get(id=1)
            return [1][9]
        for _ in range(5):
            try:
                close(Order.objects)
            except IndexError:
                capture()
        print(asked, opened)
    """
    reports = same(program)
    assert shown(reports[0], "order") == "<__main__.Order id=1, user_id=1>"


def test_a_repr_that_counts_logs_or_knows_its_thread_is_not_run(same):
    program = """
        calls = 0
        class Counts:
            def __repr__(self):
                global calls
                calls += 1
                return str(calls)
        class Named:
            def __repr__(self):
                return threading.current_thread().name
        def fail():
            counts, named = Counts(), Named()
            raise ValueError("x")
        for _ in range(5):
            try:
                fail()
            except ValueError:
                capture()
        print(calls, [thread.name for thread in threading.enumerate()])
    """
    same(program)


def test_greenlets_that_hold_the_lock_of_a_repr_go_on(same):
    program = """
        import gevent
        lock = threading.RLock()
        class Connection:
            def __repr__(self):
                with lock:
                    return "connection"
        def job():
            connection = Connection()
            return [1][9]
        def fails():
            try:
                job()
            except IndexError:
                capture()
            print("captured")
        def holds():
            with lock:
                gevent.sleep(0.2)
                print("held")
        gevent.joinall([gevent.spawn(holds), gevent.spawn(fails)])
        with lock:
            fails()
        gevent.joinall([gevent.spawn(lambda: lock.acquire() and lock.release())], timeout=5)
        print("done")
    """
    reports = same(program, begin="from gevent import monkey\nmonkey.patch_all()\n" + BEGIN)
    assert len(reports) == 2


def test_a_program_that_comes_through_a_pipe_keeps_its_input(sink):
    program = f"""
import sys, flawless
flawless.init(hostports=["127.0.0.1:{sink.port}"])
try:
    1 / 0
except ZeroDivisionError:
    flawless.capture_exception()
print("done")
"""
    done = subprocess.run(
        [sys.executable, "/dev/stdin"], input=program, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "done\n", "")
    assert sink.next()["traceback"][-1]["line_number"] == 5


def test_ctrl_c_while_a_source_is_read_reaches_the_program(same):
    program = """
        import signal
        class Loader:
            def get_source(self, name):
                os.kill(os.getpid(), signal.SIGINT)
                return "1 / 0"
        code = compile("1 / 0", "no such file.py", "exec")
        try:
            try:
                exec(code, {"__name__": "x", "__loader__": Loader(), "__file__": "no such file.py"})
            except ZeroDivisionError:
                if os.environ.get("FLAWLESS_PORT"):
                    capture()
                else:
                    Loader().get_source("")
            time.sleep(5)
        except KeyboardInterrupt:
            print("interrupted")
    """
    same(program)


def test_what_a_signal_handler_raises_while_an_error_is_captured_reaches_the_program(same):
    program = """
        import signal
        class TimeIsUp(Exception):
            pass
        def handler(*_):
            raise TimeIsUp
        signal.signal(signal.SIGALRM, handler)
        def fail():
            numbers = [0.5, "it's", 2**70, {1: b"x"}, ValueError("y")] * 200
            raise ValueError(numbers)
        for _ in range(50):
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.002)
                try:
                    exec(compile("fail()", f"place{_}.py", "exec"))
                except ValueError:
                    for _ in range(100):
                        capture()
                time.sleep(1)
                print("the alarm was lost")
            except TimeIsUp:
                pass
    """
    same(program)


def test_a_tracer_of_the_program_sees_nothing_of_the_values(same):
    program = """
        seen = []
        def tracer(frame, event, arg):
            if frame.f_code.co_name == "__repr__":
                seen.append(frame.f_code.co_name)
        class Order:
            def __repr__(self):
                return "order"
        def fail():
            order = Order()
            return 1 / 0
        sys.settrace(tracer)
        try:
            fail()
        except ZeroDivisionError:
            capture()
        sys.settrace(None)
        print(seen)
    """
    (report,) = same(program)
    assert shown(report, "order") == "order"


SLOW = """
        import decimal
        def busy():
            begun.set()
            until = time.monotonic() + 60
            while time.monotonic() < until:
                pass
        class Money(decimal.Decimal):
            def __str__(self):
                busy()
                return "slow"
        class Order:
            def __init__(self):
                self.total = Money(3)
            def __repr__(self):
                return f"<Order {self.total}>"
        class Namespace(dict):
            def items(self):
                busy()
                return super().items()
        class Loud(type):
            def __str__(cls):
                busy()
                return "slow"
        class Class:
            def __init__(self):
                self.kind = Loud("Kind", (), {})
            def __repr__(self):
                return f"<{self.kind}>"
"""


@pytest.mark.parametrize(
    "namespace", ["{'order': Order()}", "Namespace()", "{'kind': Class()}"]
)
def test_code_of_the_program_does_not_run_in_a_report_when_the_process_ends(same, namespace):
    program = f"""{SLOW}
        begun = threading.Event()
        def work():
            try:
                exec("1 / 0", {{}}, {namespace})
            except ZeroDivisionError:
                capture()
            begun.set()
            time.sleep(60)
        threading.Thread(target=work, daemon=True).start()
        begun.wait()
        time.sleep(0.1)
        sys.exit(3)
    """
    assert same(program, 3)


@pytest.mark.parametrize(
    "module, values",
    [("pathlib", "[pathlib.Path('/srv/x')]"), ("uuid", "[uuid.UUID(int=5)]"),
     ("ipaddress", "[ipaddress.ip_address('10.0.0.1')]"),
     ("pandas", "[pandas.DataFrame({'a': [1]})]")],
)  # fmt: skip
@pytest.mark.parametrize("raised", ["TimeIsUp", "SystemExit"])
def test_what_a_signal_handler_raises_while_values_are_printed_reaches_the_program(
    same, module, values, raised
):
    program = f"""
        import signal, {module}
        class TimeIsUp(Exception):
            pass
        def handler(*_):
            raise {raised}
        signal.signal(signal.SIGALRM, handler)
        def fail():
            a = b = c = d = {values} * 12
            raise ValueError("x")
        def work():
            signal.setitimer(signal.ITIMER_REAL, 0.01)
            until = time.monotonic() + 0.05
            while time.monotonic() < until:
                if os.environ.get("FLAWLESS_PORT"):
                    flawless._flawless.forget_thinning()
                try:
                    fail()
                except ValueError:
                    capture()
            time.sleep(1)
            print("the alarm was lost")
        for _ in range(20):
            try:
                work()
            except {raised}:
                pass
    """
    same(program)
