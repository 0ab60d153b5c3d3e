"""Check a text from any source against a picture: what of it holds, and the text put right.

    python examples/check_a_caption.py PICTURE "Two cups stand left of the laptop."
"""

import sys

from agent.verify import verify

picture, caption = sys.argv[1:]
verified = verify(caption, images=[picture])

for sentence in verified.sentences:
    print(sentence.text.strip())
    for claim in sentence.claims:
        boxes = ", ".join(e.box.words() for e in claim.evidence if e.box)
        print(f"  {claim.verdict}: {claim.text} (found {claim.found or 'nothing'}) {boxes}")
