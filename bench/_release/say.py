"""Verbs of some version, in one process: a JSON list of lists of words comes on standard input; codes and words go out.

say.py DATA_DIR
"""

import contextlib
import io
import json
import os
import sys

from tocsin_console.__main__ import main as tocsin


def main() -> None:
    """Run each."""
    os.environ["TOCSIN_DATA_DIR"] = sys.argv[1]
    answers = []
    for words in json.load(sys.stdin):
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = tocsin(words)
        answers.append([code, out.getvalue(), err.getvalue()])
    sys.stdout.write(json.dumps(answers))


if __name__ == "__main__":
    main()
