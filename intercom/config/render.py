"""Write the example file and the reference page from the dataclasses of settings."""

import json
import textwrap
from typing import Any

from intercom.config.fields import Setting, lists_of, settings_of, tables_of

COLUMNS = 100
"""Width of the comments in the example file."""


def example_toml(root: type[Any]) -> str:
    """Return a TOML file with every table, and every setting as a comment with its default."""
    parts = [
        "# Settings of the intercom. A line that begins with #name shows a default:\n"
        "# take the # away and change the value. `intercom config check` tells whether it is right.\n"
        "# Two kinds of secrets may stand in this file, door.open_digits and the url of each [[notify]]: let only the\n"
        "# services and root read it (mode 0640). Every other one stands in a file of its own.\n",
        *map(_example_setting, settings_of(root)),
    ]
    for name, table in tables_of(root):
        parts += [f"\n{_comment(_plain(table.__doc__))}[{name}]\n", *map(_example_setting, settings_of(table))]
    for found in lists_of(root):
        doc = f"{_plain(found.table.__doc__)}\nEach entry begins with a line [[{found.name}]]."
        entry = "".join(f"# {item.name} = {toml_value(item.default)}\n" for item in settings_of(found.table))
        parts += [f"\n{_comment(doc)}# [[{found.name}]]\n{entry}"]
    return "\n".join(parts)


def reference(root: type[Any]) -> str:
    """Return a Markdown page with one table of settings per TOML table."""
    parts = [
        "# Configuration\n\n"
        "One TOML file holds every setting; each has a default, so an empty file is a valid one. "
        "`intercom config example` prints a file to start from, and `intercom config check FILE` names "
        "everything that is wrong with yours, with its line.\n\n"
        "A path may begin with `~/` or with a variable (`$CREDENTIALS_DIRECTORY/name` is a systemd "
        "credential); any other that does not begin with `/` starts at the directory of this file. "
        "Two kinds of secrets stand in this file, `door.open_digits` and the `url` of each `[[notify]]`: nobody but "
        "the services needs to read it (`intercom setup` and each installation give it mode 0640). Every other secret "
        "is in a file of mode 0600 that it names.\n\n"
        "This page is generated from `intercom/config/schema.py`.\n",
        "## At the top of the file\n\n" + _table(root),
    ]
    parts += [f"## `[{name}]`\n\n{table.__doc__}\n\n{_table(table)}" for name, table in tables_of(root)]
    lists = tuple(lists_of(root))
    parts += [f"## `[[{found.name}]]`\n\n{found.table.__doc__}\n\n{_table(found.table)}" for found in lists]
    return "\n".join(parts)


def toml_value(value: Any) -> str:
    """Format a setting's value as TOML."""
    if isinstance(value, tuple):
        return "[" + ", ".join(map(toml_value, value)) + "]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _example_setting(item: Setting) -> str:
    takes = _comment(f"Takes {item.expected}.")
    return f"{_comment(_plain(item.doc))}{takes}#{item.name} = {toml_value(item.default)}\n"


def _comment(text: str) -> str:
    return textwrap.fill(text, COLUMNS, initial_indent="# ", subsequent_indent="# ") + "\n"


def _plain(markdown: str | None) -> str:
    return (markdown or "").replace("`", '"')


def _table(table: type[Any]) -> str:
    rows = [
        f"| `{item.name}` | {item.expected} | `{toml_value(item.default)}` | {item.doc} |\n"
        for item in settings_of(table)
    ]
    return "| setting | expected | default | meaning |\n|---|---|---|---|\n" + "".join(rows)
