"""Mermaid, SVG and the page as text: well-formed, whole, and safe from what names and reasons contain."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from gitops_stack.graph.graph import WORDS, Change, Graph, build_graph
from gitops_stack.graph.html_page import render_page
from gitops_stack.graph.mermaid import render_mermaid
from gitops_stack.graph.svg import render_svg
from gitops_stack.tree_check.applications import Tree
from gitops_stack.tree_check.difference import compare_trees
from tests.graph.trees import NASTY, build_look, build_manifest, build_rendered, build_tree, look_at, with_status

SVG = "{http://www.w3.org/2000/svg}"
SIZES = [1, 25, 387]


def draw(count: int) -> Graph:
    tree, base = build_tree(count, color="blue"), build_tree(count, color="red")
    return build_graph("dev", tree, look_at(tree), Change("main", base, compare_trees("dev", base, tree)))


def draw_nasty() -> Graph:
    source = {"repoURL": f"https://git.example.com/{NASTY}", "path": '"];click x callback'}
    manifest = build_manifest(NASTY, project='shop"]\nend', source=source)
    living = with_status(manifest, health="Degraded", message=f"{NASTY}\x1b\0\ud800")
    return build_graph("dev", Tree([build_rendered(manifest, NASTY)]), build_look([living]))


def read_data(page: str) -> dict[str, object]:
    (found,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', page)
    data: dict[str, object] = json.loads(found)
    return data


@pytest.mark.parametrize("count", SIZES)
def test_the_picture_is_xml_with_every_application_once(count: int) -> None:
    graph = draw(count)
    root = ElementTree.fromstring(render_svg(graph))
    assert len(root.findall(f".//{SVG}rect[@rx='6']")) == (
        count
        + len({source.repository for one in graph.applications for source in one.sources})
        + len({one.cluster for one in graph.applications})
    )
    assert root.attrib["role"] == "img"
    title = root.find(f"{SVG}title")
    assert title is not None
    assert (title.text or "").startswith(f"stack dev: {count} applications")
    _, _, width, height = map(float, root.attrib["viewBox"].split())
    for card in root.iter(f"{SVG}rect"):
        x, y = (float(card.attrib.get(side, "0")) for side in ("x", "y"))
        assert x + float(card.attrib["width"]) <= width
        assert y + float(card.attrib["height"]) <= height


def test_a_card_says_what_is_the_matter() -> None:
    said = [title.text for title in ElementTree.fromstring(render_svg(draw(25))).iter(f"{SVG}title")]
    assert "search-service-7, project search · not well: a pod crashes" in said
    assert "shop-service-0, project shop · well\n~ ConfigMap shop/shop-service-0" in said


@pytest.mark.parametrize("count", SIZES)
def test_a_flowchart_keeps_to_what_mermaid_draws(count: int) -> None:
    text = render_mermaid(draw(count))
    assert len(text) < 50_000
    assert text.count(" --> ") < 500
    assert text.count("  subgraph ") == text.count("  end\n")
    assert f"stack dev: {count} applications" in text


def test_a_flowchart_shows_each_application_or_their_count() -> None:
    few, many = render_mermaid(draw(25)), render_mermaid(draw(387))
    assert 'group1_0["data-service-4<br>project data<br>well"]' in few
    assert re.search(r'\["\d+ applications of shop<br>\d+ not well, \d+ well"\]', many)
    counted = [int(number) for number in re.findall(r"(\d+) applications of", many)]
    assert sum(counted) == 386


def test_the_flowchart_of_a_stack_is_as_written() -> None:
    assert render_mermaid(build_graph("dev", build_tree(2))).splitlines() == [
        "flowchart LR",
        "  %% stack dev: 2 applications",
        '  subgraph group0["wave 0"]',
        '    group0_0["root<br>project platform"]',
        "  end",
        '  subgraph group1["wave 0 of root"]',
        '    group1_0["shop-service-0<br>project shop"]',
        "  end",
        '  source0[("https://git.example.com/platform.git")]',
        '  cluster1{{"in-cluster"}}',
        '  source2[("https://git.example.com/shop.git")]',
        "  source0 --> group0_0",
        "  group0_0 --> cluster1",
        "  source2 --> group1_0",
        "  group1_0 --> cluster1",
        "  group0_0 --> group1",
    ]


@pytest.mark.parametrize("render", [render_mermaid, render_svg, render_page])
def test_no_text_of_others_becomes_markup(render: Callable[[Graph], str]) -> None:
    assert "<script>document" not in render(draw_nasty())


def test_a_flowchart_has_no_line_of_others() -> None:
    lines = render_mermaid(draw_nasty()).splitlines()
    assert all(
        re.match(r"flowchart LR|  (%%|subgraph|end$|class|  group|source|cluster|group)", line) for line in lines
    )
    assert not [line for line in lines if line.count('"') not in (0, 2)]


def test_a_picture_of_nasty_text_is_still_xml() -> None:
    found = ElementTree.fromstring(render_svg(draw_nasty()))
    assert any(NASTY in (title.text or "") for title in found.iter(f"{SVG}title"))


def test_the_data_of_the_page_is_whole_and_cannot_end_its_element() -> None:
    page = render_page(draw_nasty())
    data = read_data(page)
    assert json.dumps(data).count(json.dumps(NASTY)[1:-1]) >= 3
    assert page.count("</script>") == 2


def test_the_page_permits_its_own_script_and_style_and_nothing_else() -> None:
    page = render_page(draw(1))
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert re.fullmatch(
        r"default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'",
        policy,
    )
    assert not re.findall(r"(?:src|href)=", page)


def test_every_state_has_a_word_and_a_style() -> None:
    page, picture = render_page(draw(1)), render_svg(draw(1))
    assert read_data(page)["words"] == dict(WORDS)
    for state in WORDS.keys() - {"unknown"}:
        assert re.search(rf"\.{state}\b", page)
        assert re.search(rf"\.{state}\b", picture)
