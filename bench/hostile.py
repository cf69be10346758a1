"""Whether anything that others say, or a template does, acts: 0 of 263 texts on any channel, 0 of 82 templates.

python bench/hostile.py --json bench/results/hostile.json
"""

from _alerts.figures import hostile_figures
from _report import arguments, report


def main() -> None:
    """Measure and report."""
    asked = arguments(__doc__.partition("\n")[0]).parse_args()
    report("Hostile texts and templates", hostile_figures(), asked.json)


if __name__ == "__main__":
    main()
