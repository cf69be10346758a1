"""An explanation in a few sentences, as a message says it. Pure."""

from tocsin_alerts.explanation.contributions import Contribution
from tocsin_alerts.explanation.explain import Explanation


def sentences(found: Explanation) -> tuple[str, ...]:
    """Say what is known; of nothing there is nothing to say."""
    return (*story(found), *filter(None, (changed(found),)))


def story(found: Explanation) -> tuple[str, ...]:
    """Say when it began, what moved first and what accounts for it."""
    said = []
    if found.onset is not None:
        onset = found.onset
        between = f"between {onset.earliest} and {onset.latest}" if onset.earliest != onset.latest else "to the day"
        said.append(
            f"Began {onset.day} ({between}), {onset.shape}: {onset.before:.1%} to {onset.now:.1%} by {found.onset_by}"
        )
    if found.first_moved:
        moved = "; then ".join(f"{each.field} since {each.since} (PSI {each.psi:.2f})" for each in found.first_moved)
        said.append(f"Moved first: {moved}")
    if found.loss is not None and found.loss >= 0.002:
        parts = [f"{100 * found.loss:.1f} points more estimated wrong"]
        if found.segments:
            parts.append(f"of it {_listed(found.segments)}")
        if found.fields:
            parts.append(f"by the shift of {_listed(found.fields)}")
        said.append("; ".join(parts))
    return tuple(said)


def changed(found: Explanation) -> str:
    """Say whether model, data or traffic changed; empty when no beginning was found, about which they could have."""
    if found.onset is None:
        return ""
    causes = found.causes
    words = {
        "model": f"the model ({'; '.join(found.new_versions)})",
        "data": "the data",
        "traffic": f"the traffic ({found.calls_then or 0:,.0f} to {found.calls_now or 0:,.0f} calls a day)",
    }
    if causes:
        return f"What changed: {', '.join(words[cause] for cause in causes)}"
    return "Neither versions, inputs nor traffic changed: what is right did, or the model did without a new version"


def _listed(contributions: tuple[Contribution, ...]) -> str:
    return ", ".join(f"{each.name} {100 * each.points:.1f}" for each in contributions)
