"""``python -m flawless`` is the command ``flawless``."""

from flawless._program import main

if __name__ == "__main__":
    raise SystemExit(main())
