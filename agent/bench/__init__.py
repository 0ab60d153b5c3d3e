"""Side-by-side benchmarks: ``corvid bench NAME`` runs ``agent.bench.NAME.run()``.

Every system is driven by a small script of its own (``drivers``) in a fresh process, with the
interpreter of the environment it needs (``peers``), and prints one line of JSON.
"""
