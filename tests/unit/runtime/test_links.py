"""The ``Link`` header by the letter of RFC 8288, and that no link carries credentials elsewhere."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelport_api._runtime.errors import PaginationError
from modelport_api._runtime.links import Link, checked_target, next_target, parse_links

HERE = "https://host/api/things?page=1"
BASE = "https://host/api"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # The examples of section 3.5.
        (
            '<http://example.com/TheBook/chapter2>; rel="previous"; title="previous chapter"',
            [Link("http://example.com/TheBook/chapter2", ("previous",))],
        ),
        ('</>; rel="http://example.net/foo"', [Link("/", ("http://example.net/foo",))]),
        ('</terms>; rel="copyright"; anchor="#foo"', [Link("/terms", ("copyright",), "#foo")]),
        (
            (
                """</TheBook/chapter2>; rel="previous"; title*=UTF-8'de'letztes%20Kapitel, """
                """</TheBook/chapter4>; rel="next"; title*=UTF-8'de'n%c3%a4chstes%20Kapitel"""
            ),
            [Link("/TheBook/chapter2", ("previous",)), Link("/TheBook/chapter4", ("next",))],
        ),
        (
            '<http://example.org/>; rel="start http://example.net/relation/other"',
            [Link("http://example.org/", ("start", "http://example.net/relation/other"))],
        ),
        (
            '<https://example.org/>; rel="start", <https://example.org/index>; rel="index"',
            [Link("https://example.org/", ("start",)), Link("https://example.org/index", ("index",))],
        ),
        # White space, empty elements, and names in any case.
        ("<a> ; REL = Next ,, , <b>;rel=last", [Link("a", ("next",)), Link("b", ("last",))]),
        ("<a,b;c>; rel=next", [Link("a,b;c", ("next",))]),
        ('<a>; title="x, <b>; rel=\\"next\\""; rel=prev', [Link("a", ("prev",))]),
        ("<a>; rel=next; rel=prev", [Link("a", ("next",))]),
        ("<a>; crossorigin; rel=next", [Link("a", ("next",))]),
        ("<a>; rel", [Link("a", ())]),
        ("<a>", [Link("a", ())]),
        ('<>; rel="next"', [Link("", ("next",))]),
        ('<a>; title="open', [Link("a", ())]),
        # What is malformed ends it.
        ("", []),
        ("a; rel=next", []),
        ("<a; rel=next", []),
        ("<a>; rel=next, b; rel=next", [Link("a", ("next",))]),
        ("<a>; rel=next <b>; rel=last", [Link("a", ("next", "<b>"))]),
        ('<a>; rel="next" x, <b>', [Link("a", ("next",))]),
    ],
)
def test_a_header_is_read_by_the_letter(value: str, expected: list[Link]) -> None:
    assert parse_links(value) == expected


TARGET = st.text(st.characters(exclude_characters="<>", codec="latin-1", min_codepoint=33), min_size=1)
VALUE = st.text(st.characters(codec="latin-1", min_codepoint=32, exclude_characters="\x7f"))
TOKEN = st.text("abcdefghijklmnopqrstuvwxyz0123456789-.", min_size=1)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@given(st.lists(st.tuples(TARGET, st.lists(TOKEN), st.dictionaries(TOKEN.map("x-".__add__), VALUE))))
def test_what_is_written_is_read(links: list[tuple[str, list[str], dict[str, str]]]) -> None:
    written = ", ".join(
        f'<{target}>; rel="{" ".join(relations)}"'
        + "".join(f"; {name}={quoted(value)}" for name, value in more.items())
        for target, relations, more in links
    )

    assert parse_links(written) == [Link(target, tuple(relations)) for target, relations, _ in links]


@given(st.text())
def test_anything_can_be_read(value: str) -> None:
    parse_links(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("<a>; rel=last, <b>; rel=next, <c>; rel=next", "b"),
        ("<a>; rel=prev", None),
        (f'<a>; rel=next; anchor="{HERE}#top"', "a"),
        ('<a>; rel=next; anchor=""', "a"),
        ('<a>; rel=next; anchor="/other", <b>; rel=next', "b"),
    ],
)
def test_the_next_page_is_that_of_this_list(value: str, expected: str | None) -> None:
    assert next_target(value, HERE) == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("?page=2", "https://host/api/things?page=2"),
        ("/api?page=2#x", "https://host/api?page=2"),
        ("./more", "https://host/api/more"),
        ("https://HOST:443/api/x", "https://host/api/x"),
        ("//host/api/x?a&key=s&b=%26", "https://host/api/x?a&b=%26"),
        ("?my+key=s&page=2&my%20key=s", "https://host/api/things?page=2"),
        ("", HERE),
    ],
)
def test_a_link_below_the_base_url_may_be_followed(target: str, expected: str) -> None:
    assert checked_target(target, HERE, BASE, frozenset({"key", "my key"})) == expected


@given(
    st.one_of(
        st.text(),
        st.tuples(
            st.sampled_from(["", "http:", "https:", "HTTPS:", "ftp:"]),
            st.sampled_from(["", "//", "\\\\", "/\\", "///"]),
            st.sampled_from(["host", "evil", "host@evil", "host:443", "host:80", "host.evil", "evil\\@host", "[::1]"]),
            st.sampled_from(
                ["", "/", "/api", "/api/", "/apix", "/api/..", "/api/%2e%2E/", "/api/./../x", "/api/%2F.."]
            ),
            st.text("./\\%2eEfF@:?#"),
        ).map("".join),
    )
)
def test_whatever_a_server_says_the_request_stays_below_the_base_url(target: str) -> None:
    import httpx

    try:
        url = checked_target(target, HERE, BASE)
    except PaginationError:
        return
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        return
    path = parsed.path.replace("\\", "/")

    assert (parsed.scheme, parsed.host, parsed.port, parsed.userinfo) == ("https", "host", None, b"")
    assert path == "/api" or path.startswith("/api/")
    assert ".." not in path.split("/")
