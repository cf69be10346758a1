"""A service of some version: makes calls of a use case, with an outcome each, and says how many; for `Version.run`.

use.py GRPC USE_CASE COUNT
"""

import sys

import tocsin


def main(collector: str, use_case: str, count: int) -> None:
    """Send the calls, and the truth about them."""
    tocsin.init(service_name="upgraded", endpoint=f"http://{collector}")

    @tocsin.observe(use_case, task="classification", model_version="m1")
    def triage(length: int) -> str:
        call = tocsin.current_call()
        call.set_input(length=length)
        call.confidence = 0.9
        call.set_output(label="billing")
        handles.append(call.handle)
        return "billing"

    handles: list[str] = []
    for number in range(count):
        triage(number)
    for handle in handles:
        tocsin.record_outcome(handle, label="billing")
    if not tocsin.flush(60):
        raise SystemExit(f"not everything was sent: {tocsin.stats()}")
    sys.stdout.write(handles[0])
    tocsin.shutdown()


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
