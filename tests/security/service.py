"""A service as a team would write it, told everything by its environment: where to send, whom to trust, which key."""

import sys

import tocsin


def main() -> None:
    """Make one call, say what was true of it, and read the guard."""
    tocsin.init(service_name="checkout")
    guard = tocsin.guard("fraud")

    @tocsin.observe("fraud", task="classification")
    def score(amount: float) -> str:
        call = tocsin.current_call()
        call.set_input(amount=amount)
        call.set_output(label="fine")
        tocsin.record_outcome(call.handle, label="fine")
        return "fine"

    score(1.0)
    flushed = tocsin.flush(20)
    sys.stdout.write(f"{flushed} {guard.state}\n")
    tocsin.shutdown()


if __name__ == "__main__":
    main()
