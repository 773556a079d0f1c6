"""The memory of an idle client, in KiB."""
import time

import client_subjects


def memory():
    """Resident memory, total and anonymous. Not proportional, which drops when others start."""
    with open("/proc/self/smaps_rollup", encoding="ascii") as file:
        sizes = {line.split()[0]: line.split()[1] for line in file if line.endswith(" kB\n")}
    return int(sizes["Rss:"]), int(sizes["Anonymous:"])


def main():
    # The first reading allocates what the reading itself needs.
    memory()
    before = memory()
    subject, _ = client_subjects.from_arguments()
    imported = memory()
    if isinstance(subject, client_subjects.Sentry):
        # As in a program: ready to send, with nothing to send.
        subject.start(is_dropped=False)
    else:
        subject.start()
    time.sleep(1)
    idle = memory()
    client_subjects.answer(
        {
            "import_kib": imported[0] - before[0],
            "idle_kib": idle[0] - imported[0],
            "idle_anonymous_kib": idle[1] - imported[1],
        }
    )


if __name__ == "__main__":
    main()
