"""Builds the package from the folder above, where its pyproject.toml is.

It has to stand there, beside the licences that it ships, and in the root of what git clones.
"""

import os

# Maturin reads the pyproject.toml of the folder it runs in.
os.chdir(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from maturin import *  # noqa: E402, F401, F403
