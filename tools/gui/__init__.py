"""Acting on graphical interfaces: one action schema, a backend a platform.

``actions`` is what a model may ask for, ``observation`` what it is told, ``targets`` how a target
is found, ``failures`` how an action can fail, ``judge`` whether it worked, ``wish`` what a person
is asked before: none of these knows a platform. ``browser`` and the files that it imports bring
them to web pages; ``desktop`` and ``android`` to other screens, by what they share in ``native``.
"""
