"""`corvid doctor`."""

from __future__ import annotations


def doctor() -> None:
    """Say what is installed, what is missing, and how to get it."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from agent.doctor import examine

    console = Console(highlight=False)
    missing: dict[str, list[str]] = {}
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    table.add_column(style="dim", overflow="fold")
    with console.status("Looking..."):
        for finding in examine():
            mark = Text("✗", "red") if finding.missing else Text("✓", "green")
            found = Text(finding.found or "missing")
            table.add_row(mark, finding.name, found, f"for {finding.use}")
            if finding.missing:
                missing.setdefault(finding.get, []).append(finding.name)
    console.print(table)
    console.print("\nMissing:" if missing else "\nEverything is here.")
    for get, names in missing.items():
        console.print(Text.assemble(("  " + ", ".join(names), "bold"), f": {get}"))
