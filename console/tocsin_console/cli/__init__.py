"""The ``tocsin`` command: one module a group of verbs, each importing what it needs when it runs."""
