"""Ask about a picture, look at the claims and their evidence, write the report.

    python examples/ask_a_picture.py "How many butterflies are there?" agent/demo/butterflies.png
"""

import sys

from agent import Agent

task, picture = sys.argv[1:3]
result = Agent(model="nano").run(task, images=[picture])

print(result.answer)
for claim in result.claims:
    print(f"- {claim.text}: {claim.verdict}")
    for evidence in claim.evidence:
        where = evidence.box.words() if evidence.box else "the whole picture"
        print(f"    {evidence.tool} on {evidence.artifact}: {where}")
print("report:", result.run.report())
