"""The items of lists that come in pages, from a real server, by every style that a document may declare."""

from __future__ import annotations

import itertools
import json
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.generated.lists import KEY
from tests.unit.runtime.server import Received, ScriptedServer, Step, answer
from tests.unit.runtime.worlds import World


def pet_list(*ids: int, next: Any = "absent", **more: Any) -> dict[str, Any]:  # noqa: A002 - its name on the wire
    meta = {} if next == "absent" else {"meta": {"next": next}}
    return {"pets": [{"id": one} for one in ids], **meta, **more}


def pets(*ids: int) -> list[dict[str, int]]:
    return [{"id": one} for one in ids]


def sent(request: Received) -> dict[str, str]:
    """The query of a request, without the credential."""
    return {name: value for name, value in parse_qsl(urlsplit(request.target).query) if name != "api key"}


def ids(world: World, iterator: Any) -> list[int]:
    return [item.id for item in world.iterated(iterator)]


# By token


def test_a_token_leads_from_page_to_page(world: World, server: ScriptedServer, client: Any, lists: ModuleType) -> None:
    token = "a/b+c=&d é"
    server.script += [
        answer(200, pet_list(1, 2, next=token)),
        answer(200, pet_list(next="third")),
        answer(200, pet_list(3, next=None)),
    ]
    found = list(world.iterated(client.pets.iter_pets(limit=2, x_trace="t", headers={"X-Own": "o"})))

    assert found == [lists.models.Pet(id=one) for one in (1, 2, 3)]
    assert [sent(one) for one in server.requests] == [
        {"limit": "2"},
        {"limit": "2", "page_token": token},
        {"limit": "2", "page_token": "third"},
    ]
    assert {(one.header("x-trace"), one.header("x-own")) for one in server.requests} == {("t", "o")}


def test_nothing_is_sent_before_the_first_item_and_no_page_before_it_is_needed(
    world: World, server: ScriptedServer, client: Any
) -> None:
    server.script += [answer(200, pet_list(1, 2, next="b")), answer(200, pet_list(3))]
    items = world.iterated(client.pets.iter_pets())

    assert server.requests == []
    assert [next(items).id, next(items).id] == [1, 2]
    assert len(server.requests) == 1
    assert [one.id for one in items] == [3]
    assert len(server.requests) == 2


@pytest.mark.parametrize("last", [{}, {"next": None}, {"next": ""}, {"next": "more", "has_more": False}])
def test_a_list_ends_with_its_last_token(world: World, server: ScriptedServer, client: Any, last: Any) -> None:
    server.script += [answer(200, pet_list(1, next="b")), answer(200, pet_list(2, **last))]
    pages = client.pets.iter_pets()

    assert ids(world, pages) == [1, 2]
    assert ids(world, pages) == []
    assert pages.next_token is None
    assert len(server.requests) == 2


def test_an_empty_list_has_no_items(world: World, server: ScriptedServer, client: Any) -> None:
    server.script += [answer(200, {})]

    assert ids(world, client.pets.iter_pets()) == []


def test_a_hundred_pages_are_a_hundred_requests(world: World, server: ScriptedServer, client: Any) -> None:
    server.script += [answer(200, pet_list(page, next=f"t{page}" if page < 99 else None)) for page in range(100)]

    assert ids(world, client.pets.iter_pets()) == list(range(100))
    assert len(server.requests) == 100
    assert server.connections == 1


@pytest.mark.parametrize("tokens", [["a", "a"], ["a", "b", "a"]])
def test_a_token_that_comes_twice_is_an_error_after_the_items(
    world: World, server: ScriptedServer, client: Any, lists: ModuleType, tokens: list[str]
) -> None:
    server.script += [answer(200, pet_list(page, next=token)) for page, token in enumerate(tokens)]
    items = world.iterated(client.pets.iter_pets())

    assert [one.id for one in itertools.islice(items, len(tokens))] == list(range(len(tokens)))
    with pytest.raises(lists.errors.PaginationError, match="the same token twice") as caught:
        next(items)
    assert isinstance(caught.value, lists.errors.APIProtocolError)
    assert len(server.requests) == len(tokens)


def test_the_token_to_begin_with_counts_as_seen(
    world: World, server: ScriptedServer, client: Any, lists: ModuleType
) -> None:
    server.script += [answer(200, pet_list(1, next="a"))]

    with pytest.raises(lists.errors.PaginationError):
        ids(world, client.pets.iter_pets(page_token="a"))


def test_more_without_a_token_is_an_error_and_no_silent_end(
    world: World, server: ScriptedServer, client: Any, lists: ModuleType
) -> None:
    server.script += [answer(200, pet_list(1, next=None, has_more=True))]
    items = world.iterated(client.pets.iter_pets())

    assert next(items).id == 1
    with pytest.raises(lists.errors.PaginationError, match="there is more"):
        next(items)


def test_an_endless_row_of_empty_pages_is_an_error(
    world: World, server: ScriptedServer, client: Any, lists: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    from lists._runtime import pagination  # type: ignore[import-not-found]

    monkeypatch.setattr(pagination, "MAX_EMPTY_PAGES", 3)
    server.script += [answer(200, pet_list(next=f"t{page}")) for page in range(9)]

    with pytest.raises(lists.errors.PaginationError, match="has no end"):
        ids(world, client.pets.iter_pets())
    assert len(server.requests) == 4


@pytest.mark.parametrize(
    "trouble", [answer(503, {"message": "later"}), answer(200, {"pets": [{"id": "x"}]}), answer(200, b"{")]
)
def test_an_error_in_the_middle_keeps_the_place(
    world: World, server: ScriptedServer, client: Any, lists: ModuleType, trouble: Any
) -> None:
    server.script += [answer(200, pet_list(1, 2, next="b")), trouble, answer(200, pet_list(3, 4))]
    pages = client.pets.iter_pets(limit=2)
    items = world.iterated(pages)
    assert [next(items).id, next(items).id] == [1, 2]
    with pytest.raises(lists.errors.APIError):
        next(items)

    assert pages.next_token == "b"
    assert ids(world, pages) == [3, 4]
    assert [sent(one).get("page_token") for one in server.requests] == [None, "b", "b"]


def test_a_walk_goes_on_in_another_process(world: World, server: ScriptedServer, client: Any) -> None:
    server.script += [answer(200, pet_list(1, next="b")), answer(200, pet_list(2))]
    pages = client.pets.iter_pets()
    assert next(world.iterated(pages)).id == 1
    token = pages.next_token

    assert ids(world, client.pets.iter_pets(page_token=token)) == [2]
    assert sent(server.requests[1]) == {"page_token": "b"}


def test_pages_give_the_typed_body_of_each(
    world: World, server: ScriptedServer, client: Any, lists: ModuleType
) -> None:
    server.script += [answer(200, pet_list(1, next="b")), answer(200, pet_list(2))]
    bodies = list(world.iterated(client.pets.iter_pets().pages()))

    assert [type(body) for body in bodies] == [lists.models.PetList] * 2
    assert [[one.id for one in body.pets] for body in bodies] == [[1], [2]]


def test_the_items_of_a_page_that_was_begun_are_not_lost_by_asking_for_pages(
    world: World, server: ScriptedServer, client: Any
) -> None:
    server.script += [answer(200, pet_list(1, 2, next="b")), answer(200, pet_list(3))]
    pages = client.pets.iter_pets()

    assert next(world.iterated(pages)).id == 1
    assert [[one.id for one in body.pets] for body in world.iterated(pages.pages())] == [[3]]
    assert ids(world, pages) == [2]


def test_a_wrong_option_is_told_when_the_first_request_would_go(world: World, client: Any) -> None:
    pages = client.pets.iter_pets(timout=3)

    with pytest.raises(TypeError, match="timout"):
        ids(world, pages)


def test_a_token_goes_into_the_body_beside_what_is_there(
    world: World, server: ScriptedServer, client: Any, lists: ModuleType
) -> None:
    models = lists.models
    server.script += [answer(200, {"pets": pets(1), "after": 7}), answer(200, {"pets": pets(2), "after": None})]
    body = models.Search(name="rex", page=models.SearchPage(size=1))

    assert ids(world, client.pets.iter_search_pets(body=body)) == [1, 2]
    assert [json.loads(one.body) for one in server.requests] == [
        {"name": "rex", "page": {"size": 1}},
        {"name": "rex", "page": {"size": 1, "after": 7}},
    ]
    assert body == models.Search(name="rex", page=models.SearchPage(size=1))


def test_a_body_that_was_not_given_is_made_for_the_token(world: World, server: ScriptedServer, client: Any) -> None:
    server.script += [answer(200, {"pets": pets(1), "after": "x"}), answer(200, {"pets": pets(2)})]

    assert ids(world, client.pets.iter_search_pets()) == [1, 2]
    assert server.requests[0].body == b""
    assert json.loads(server.requests[1].body) == {"page": {"after": "x"}}


def test_a_link_of_the_document_is_a_token_in_headers(world: World, server: ScriptedServer, client: Any) -> None:
    server.script += [answer(200, pets(1), {"x-next": "c2"}), answer(200, pets(2))]

    assert ids(world, client.pets.iter_linked()) == [1, 2]
    assert [one.header("x-cursor") for one in server.requests] == [None, "c2"]


# By the last item


def test_the_last_item_goes_back_to_the_letter(world: World, server: ScriptedServer, client: Any) -> None:
    first, second = "2026-01-01T00:00:00.100+02:00", "2026-01-01T00:00:00.2Z"
    server.script += [
        answer(200, {"data": [{"at": "2025-12-31T00:00:00Z"}, {"at": first}]}),
        answer(200, {"data": [{"at": second}]}),
        answer(200, {"data": []}),
    ]

    assert len(list(world.iterated(client.pets.iter_events()))) == 3
    assert [sent(one).get("since") for one in server.requests] == [None, first, second]


# By page number


def test_pages_are_counted_from_one_until_their_number_is_reached(
    world: World, server: ScriptedServer, client: Any
) -> None:
    server.script += [answer(200, {"pets": pets(*found), "page_count": 3}) for found in ((1,), (), (2,))]

    assert ids(world, client.pets.iter_paged(size=1)) == [1, 2]
    assert [sent(one)["page"] for one in server.requests] == ["1", "2", "3"]


def test_pages_end_with_the_total(world: World, server: ScriptedServer, client: Any) -> None:
    server.script += [answer(200, {"pets": pets(*found), "total": 3}) for found in ((1, 2), (3,))]

    assert ids(world, client.pets.iter_paged()) == [1, 2, 3]
    assert len(server.requests) == 2


@pytest.mark.parametrize(("totals", "expected"), [((3, 5), [1, 2, 3, 4, 5]), ((9, 4), [1, 2, 3, 4])])
def test_a_total_may_grow_and_shrink_on_the_way(
    world: World, server: ScriptedServer, client: Any, totals: tuple[int, int], expected: list[int]
) -> None:
    server.script += [
        answer(200, {"pets": pets(1, 2), "total": totals[0]}),
        answer(200, {"pets": pets(3, 4), "total": totals[1]}),
        answer(200, {"pets": pets(5), "total": totals[1]}),
    ]

    assert ids(world, client.pets.iter_paged()) == expected


def test_a_total_does_not_cut_a_walk_that_began_later(world: World, server: ScriptedServer, client: Any) -> None:
    server.script += [answer(200, {"pets": pets(*found), "total": 2}) for found in ((3, 4), (5,), ())]

    assert ids(world, client.pets.iter_paged(page=7)) == [3, 4, 5]
    assert [sent(one)["page"] for one in server.requests] == ["7", "8", "9"]


def test_a_page_beyond_the_end_is_the_end(world: World, server: ScriptedServer, client: Any) -> None:
    server.script += [answer(200, {"pets": [], "total": 10})]

    assert ids(world, client.pets.iter_paged(page=99)) == []


def test_the_first_page_is_the_default_of_the_parameter(world: World, server: ScriptedServer, client: Any) -> None:
    server.script += [answer(200, pets(1)), answer(200, pets(2)), answer(200, [])]

    assert ids(world, client.pets.iter_plain()) == [1, 2]
    assert [sent(one)["page"] for one in server.requests] == ["0", "1", "2"]


def test_a_server_that_does_not_heed_the_page_is_an_error(
    world: World, server: ScriptedServer, client: Any, lists: ModuleType
) -> None:
    server.script += [answer(200, pets(1, 2))] * 5
    items = world.iterated(client.pets.iter_plain())

    assert [next(items).id, next(items).id] == [1, 2]
    with pytest.raises(lists.errors.PaginationError, match="same page twice"):
        next(items)
    assert len(server.requests) == 2


def test_a_number_to_count_on_from_must_be_one(client: Any, lists: ModuleType) -> None:
    with pytest.raises(lists.errors.ClientConfigError, match="whole number"):
        client.pets.iter_plain(page="2")


# By offset


def test_the_offset_is_what_came_and_not_what_was_asked_for(world: World, server: ScriptedServer, client: Any) -> None:
    server.script += [answer(200, ["a", "b"]), answer(200, ["b"]), answer(200, ["b"]), answer(200, [])]

    assert list(world.iterated(client.pets.iter_names(limit=100))) == ["a", "b", "b", "b"]
    assert [sent(one) for one in server.requests] == [
        {"limit": "100", "offset": offset} for offset in ("0", "2", "3", "4")
    ]


def test_a_total_in_a_header_ends_an_offset(world: World, server: ScriptedServer, client: Any) -> None:
    server.script += [answer(200, ["c", "d"], {"X-Total-Count": "12"})]
    pages = client.pets.iter_names(offset=10)

    assert list(world.iterated(pages)) == ["c", "d"]
    assert len(server.requests) == 1


# By link


@pytest.mark.parametrize(
    "link",
    [
        '<?page=2>; rel="next"',
        "</api/web/a?page=2>; rel=next",
        '<{url}/api/web/a?page=2#top>; rel="prev next last"',
        '<?page=0>; rel=first, <?page=2>; title="a, <b>; rel=\\"x\\""; rel="next"',
        '</api/other/7?page=2&api%20key=echo>; rel="NEXT"; rel="prev"',
    ],
)
def test_a_link_to_the_next_page_is_followed(world: World, server: ScriptedServer, client: Any, link: str) -> None:
    server.script += [answer(200, pets(1), {"Link": link.format(url=server.url)}), answer(200, pets(2))]

    assert ids(world, client.pets.iter_web("a", page=1)) == [1, 2]
    assert [sent(one) for one in server.requests] == [{"page": "1"}, {"page": "2"}]
    assert urlsplit(server.requests[1].target).path.startswith("/api/")
    # The credential goes once, and it is ours.
    assert [value for name, value in parse_qsl(urlsplit(server.requests[1].target).query) if name == "api key"] == [KEY]


def test_a_header_may_come_several_times(world: World, server: ScriptedServer, client: Any) -> None:
    content = json.dumps(pets(1)).encode()
    lines = [
        "HTTP/1.1 200 OK", "Content-Type: application/json", f"Content-Length: {len(content)}",
        'Link: <?page=0>; rel="first"; title="a, b"', 'LINK: <?page=2>; rel="next"', "Link: <?page=9>; rel=last",
    ]  # fmt: skip
    server.script += [Step("\r\n".join([*lines, "", ""]).encode() + content), answer(200, pets(2))]

    assert ids(world, client.pets.iter_web("a")) == [1, 2]
    assert sent(server.requests[1]) == {"page": "2"}


def test_a_client_with_other_options_walks_by_them(world: World, server: ScriptedServer, client: Any) -> None:
    server.script += [answer(503, {}), answer(200, pet_list(1, next="b")), answer(503, {}), answer(200, pet_list(2))]

    assert ids(world, client.with_options(max_retries=1).pets.iter_pets()) == [1, 2]


def test_the_url_of_the_next_page_may_be_in_the_body(world: World, server: ScriptedServer, client: Any) -> None:
    server.script += [
        answer(200, {"pets": pets(1), "next": f"{server.url}/api/urls?c=2"}),
        answer(200, {"pets": pets(2), "next": None}),
    ]

    assert ids(world, client.pets.iter_urls()) == [1, 2]
    assert sent(server.requests[1]) == {"c": "2"}


@pytest.mark.parametrize(
    "target",
    [
        "http://127.0.0.1:{other}/api/web/a?page=2",
        "//127.0.0.1:{other}/api/web/a?page=2",
        "https://127.0.0.1:{port}/api/web/a?page=2",
        "http://localhost:{port}/api/web/a?page=2",
        "http://127.0.0.1:{port}@127.0.0.1:{other}/api/",
        "http://127.0.0.1:{port}\\@127.0.0.1:{other}/api/",
        "http://user:pass@127.0.0.1:{port}/api/web/a",
        "/elsewhere?page=2",
        "/apis?page=2",
        "../../../x",
        "/api/%2e%2e/admin",
        "/api/..%2fadmin",
        "/api/..\\admin",
        "http://[::1/api",
        "http://127.0.0.1:99999/api",
        "/api/a b",
        "file:///api/passwd",
    ],
)
def test_a_link_that_leads_elsewhere_is_not_followed(
    world: World, server: ScriptedServer, other_server: ScriptedServer, client: Any, lists: ModuleType, target: str
) -> None:
    link = target.format(port=server.port, other=other_server.port)
    server.script += [answer(200, pets(1), {"Link": f'<{link}>; rel="next"'})]
    pages = client.pets.iter_web("a")
    items = world.iterated(pages)

    assert next(items).id == 1
    with pytest.raises(lists.errors.PaginationError) as caught:
        next(items)
    assert KEY not in str(caught.value)
    assert (len(server.requests), other_server.requests) == (1, [])
    assert pages.next_token is None


@pytest.mark.parametrize("link", ["", "<?page=2>", "<?page=2>; rel=nextish", '<?page=2>; rel=next; anchor="/other"'])
def test_what_is_no_link_to_the_next_page_ends_the_list(
    world: World, server: ScriptedServer, client: Any, link: str
) -> None:
    server.script += [answer(200, pets(1), {"Link": link})]

    assert ids(world, client.pets.iter_web("a")) == [1]


def test_a_link_to_the_same_page_is_an_error(
    world: World, server: ScriptedServer, client: Any, lists: ModuleType
) -> None:
    server.script += [answer(200, pets(page), {"Link": '<?page=2>; rel="next"'}) for page in range(5)]

    with pytest.raises(lists.errors.PaginationError, match="same link"):
        ids(world, client.pets.iter_web("a"))
    assert len(server.requests) == 2
