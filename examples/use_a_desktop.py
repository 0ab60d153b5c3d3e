"""Use a desktop program that has no web page, on a screen of its own that nobody sees.

    python examples/use_a_desktop.py "Enter Ada as the name, and confirm." [MODEL]

It needs the extra `desktop` and, from Debian, xvfb xdotool zenity at-spi2-core dbus. The models
that are shipped have seen web pages only; name one that knows desktops, as in remote_model.py.
"""

import sys

from agent import Agent
from tools import Desktop

task = sys.argv[1]
model = sys.argv[2] if len(sys.argv) > 2 else "nano"
form = ["zenity", "--forms", "--title=Guests", "--text=Who is coming?", "--add-entry=Name"]
with Desktop(programs={"guests": form}, allowed=("zenity",)) as desktop:
    agent = Agent(model=model, tools=[desktop, desktop.screen])
    result = agent.run(f"{task} The program is called guests; open it with goto.")
    print(result.answer)
    print(result.run.report())
