"""A service as a team would write it: observed calls, outcomes, a guard that it follows. Talks to the test by lines."""

import sys
import time

import tocsin


def main(endpoint: str, calls: int) -> None:
    """Serve some calls, then follow the guard to fallback and back."""
    tocsin.init(service_name="digits-service", endpoint=f"http://{endpoint}")
    guard = tocsin.guard("digits")

    @tocsin.observe("digits", task="classification", model_version="m1", prompt_version="")
    def read(ink: float, device: str) -> str:
        call = tocsin.current_call()
        call.set_input(ink=ink, device=device)
        call.set_output(label="7", probabilities={"7": 0.9, "1": 0.1})
        call.confidence = 0.9
        if ink % 10 == 0:
            tocsin.record_outcome(call.handle, label="7" if ink % 20 == 0 else "1")
        return "7"

    for number in range(calls):
        read(float(number), "flatbed")
    say("flushed" if tocsin.flush(30) else "not flushed")
    for wanted in ("fallback", "normal"):
        while guard.state != wanted:
            time.sleep(0.01)
        say(wanted)
    with guard.route():
        read(1.0, "after")
    tocsin.shutdown()
    say("ended")


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
