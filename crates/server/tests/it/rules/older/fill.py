"""Fills the lists of a server of 0.4.5 by its own code, and saves the pages that show them."""

import pathlib
import sys

import flawless.lib.config

folder = pathlib.Path(sys.argv[1])
flawless.lib.config.get().data_dir_path = str(folder)

from flawless.server.api import ttypes  # noqa: E402
from flawless.server.webapp import FlawlessWebServiceHandler  # noqa: E402

old = FlawlessWebServiceHandler()
known = {
    "filename": "shop/cart.py",
    "function_name": "total",
    "code_fragment": "return sum(prices) / len(prices)",
    "min_alert_threshold": 5,
    "max_alert_threshold": 100,
    "alert_every_n_occurrences": 10,
    "email_recipients": ["ann@example.com", "ben@example.com"],
    "email_header": 'Look at <b>this</b>\nfirst & "soon"',
}
code = 'if a < b and c > d: raise Wrong("<br />", "&amp;", "\\\\", "ß")'
old._add_new_entry_to_config("known_errors", ttypes.KnownError(**known))
old._add_new_entry_to_config("known_errors", ttypes.KnownError("shop/web.py", code_fragment=code))
for key in ["building_blocks", "third_party_whitelist"]:
    old._add_new_entry_to_config(key, ttypes.CodeIdentifier(key + ".py", "run"))
watch = ttypes.WatchFileEntry(email="w@example.com", filepath="shop", watch_all_errors=True)
old._add_new_entry_to_config("watch_list", watch, attr="watches")
disowned = ttypes.FileDisownershipEntry("ann@example.com", "shop/old", "ben@example.com")
old._add_new_entry_to_config("disownership_list", disowned, attr="disownerships")
old.save_remap_email("old_email=jon&new_email=jon@example.com")
for key in sys.argv[2:]:
    (folder / (key + ".html")).write_text(old.view_config(key), encoding="utf-8")
