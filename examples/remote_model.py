"""Drive the same loop with a model behind an OpenAI-compatible server (vLLM, Ollama, OpenAI,
`transformers serve`), and get the answer as data.

    python examples/remote_model.py qwen3-vl http://localhost:8000/v1 receipt.jpg
"""

import sys

from pydantic import BaseModel

from agent import Agent


class Receipt(BaseModel):
    shop: str
    total: float


name, url, picture = sys.argv[1:4]
agent = Agent(model=f"openai:{name}@{url}")
result = agent.run("Which shop is this from, what was paid?", [picture], output_type=Receipt)
print(result.answer)
