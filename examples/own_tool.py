"""Give the agent a tool of your own: its type hints and docstring are what the model reads.

    python examples/own_tool.py "How many butterflies are there?" agent/demo/butterflies.png
"""

import sys

from agent import Agent
from tools import Image, default_tools, tool


@tool
def file_name(image: Image) -> str:
    """Tell the file that a picture came from.

    Args:
        image: The picture.
    """
    return image.artifact.origin


task, picture = sys.argv[1:3]
agent = Agent(model="nano", tools=[*default_tools(), file_name])
for event in agent.stream(task, images=[picture]):
    print(event.type, end=" ", flush=True)
    if event.type == "answered":
        print(f"\n{event.answer}")
