"""The cost of a breadcrumb."""
import statistics

import client_clock
import client_subjects

NOTES, ROUNDS = 2_000, 101


def main():
    subject, _ = client_subjects.from_arguments()
    if subject.breadcrumb is None:
        client_subjects.answer({})
        return
    subject.start()
    names = {"note": subject.breadcrumb(), "data": {"items": 3}}
    loops = {
        "plain": client_clock.loop("note('the cart was emptied', category='cart')", **names),
        "data": client_clock.loop(
            "note('the cart was emptied', category='cart', data=data)", **names
        ),
    }
    taken = client_clock.in_turn(loops, NOTES, ROUNDS)
    numbers = {
        "breadcrumb_us": statistics.median(taken["plain"]) / 1e3,
        "breadcrumb_data_us": statistics.median(taken["data"]) / 1e3,
    }
    client_subjects.answer(numbers)


if __name__ == "__main__":
    main()
