"""A service as a team would write it, for `tocsin run`: an estimator, a provider's client, an outcome and the guard."""

import sys

import numpy as np
import openai
from sklearn.linear_model import LogisticRegression

import tocsin

USE_CASE = "digits"


def main() -> None:
    """Ask each once and send everything."""
    x = np.array([[0.0], [1.0]])
    model = LogisticRegression().fit(x, ["hardware", "billing"])
    tocsin.instrument_sklearn(use_case=USE_CASE)
    model.predict(x)
    with tocsin.observe("chat"):
        openai.OpenAI().chat.completions.create(model="gpt-4o-mini", messages=[{"role": "user", "content": "refund?"}])
    with tocsin.guard(USE_CASE).route() as route, tocsin.observe(USE_CASE, task="classification") as call:
        call.set_output(label="billing" if route.ask_model else "hardware")
        call.confidence = 0.9
    tocsin.record_outcome(call.handle, label="billing")
    if not tocsin.flush(30):
        raise SystemExit(f"not everything was sent: {tocsin.stats()}")
    sys.stdout.write(call.handle)


if __name__ == "__main__":
    main()
