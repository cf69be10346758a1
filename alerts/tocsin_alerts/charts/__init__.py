"""The chart of a message: one Vega-Lite specification for mail, page and chat, drawn in a process that can be killed."""
