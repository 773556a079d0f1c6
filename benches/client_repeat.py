"""The cost of an exception that the client has seen so often that it skips it."""
import client_capture
import client_stack
import client_subjects

# There is no power of two between these numbers, and the first ten are long past.
FROM, TO = 1_030, 2_040


def main():
    stacks = client_stack.Stacks(client_subjects.folder(), 1)
    subject, _ = client_subjects.from_arguments()
    if isinstance(subject, client_subjects.Sentry):
        # It skips none.
        client_subjects.answer({})
        return
    subject.start()
    module, order = stacks.module(), stacks.order(False)
    over = []
    for number in range(1, TO):
        bare = client_capture.once(module.plan(order), client_capture.nothing)
        taken = client_capture.once(module.plan(order), subject.capture)
        if number < FROM:
            subject.settle()
        else:
            over.append(taken - bare)
    client_subjects.answer({"repeat_us": client_capture.median_us(over)})


if __name__ == "__main__":
    main()
