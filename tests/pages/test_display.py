import base64
import io
import json
import re
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from probmcl_book.pages import colours, show, slide
from probmcl_book.pages.style import DARK, LIGHT, drawing_in


def line(height: float = 1.0, *, factor: float = 1.0) -> Figure:
    figure, axes = plt.subplots(figsize=(3, 2))
    axes.plot([0, 1], [0, height * factor], color=colours().anchor)
    axes.set_ylim(0, 3)
    return figure


def pictures(html: str) -> list[Image.Image]:
    found = re.findall(r'src="data:image/png;base64,([^"]+)"', html)
    return [Image.open(io.BytesIO(base64.b64decode(data))).convert("RGB") for data in found]


def frames(html: str) -> list[dict[str, str]]:
    found = re.search(r"frames = (\[.*?\]);\n", html)
    assert found
    return json.loads(found[1])


def rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))


def test_show_embeds_the_figure_in_both_styles(shown: list[dict[str, str]]) -> None:
    show(line, 1.0, alt="A line.", caption="A <caption>.")
    html = shown[0]["text/html"]
    light, dark = pictures(html)
    assert light.size == dark.size == (432, 288)  # 3 x 2 inches at 144 dpi
    assert light.getpixel((0, 0)) == pytest.approx(rgb(LIGHT.background), abs=2)  # the palette rounds
    assert dark.getpixel((0, 0)) == pytest.approx(rgb(DARK.background), abs=2)
    assert html.count('alt="A line."') == 2
    assert "<figcaption>A &lt;caption&gt;.</figcaption>" in html
    assert shown[0]["text/plain"] == "Figure: A line."
    seen = [("pm-dark" in image, "display:none" in image) for image in re.findall(r"<img [^>]*>", html)]
    assert seen == [(False, False), (True, True)]  # without a style sheet the light one alone


@pytest.mark.parametrize(
    "host", ['html[data-theme="dark"]', 'body[data-jp-theme-light="false"]', 'html[theme="dark"]']
)
def test_each_dark_host_swaps_the_pictures(shown: list[dict[str, str]], host: str) -> None:
    show(line, alt="A line.")
    hidden, seen = re.findall(r"([^{}]*)\{display:(?:none|block)!important\}", shown[0]["text/html"])
    assert f"{host} .pm-light" in hidden
    assert f"{host} .pm-dark" in seen


def test_show_hands_arguments_on_and_leaves_no_figure_open(shown: list[dict[str, str]]) -> None:
    show(line, 1.0, alt="A line.", factor=2.0)
    show(line, 2.0, alt="A line.")
    assert shown[0] == shown[1]
    assert plt.get_fignums() == []


@pytest.mark.parametrize("alt", ["", "  "])
def test_a_figure_without_words_is_refused(alt: str) -> None:
    with pytest.raises(ValueError, match="alt: expected some words"):
        show(line, alt=alt)


def test_a_function_that_gives_no_figure_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a Figure from it, got NoneType"):
        show(lambda: None, alt="Nothing.")


def test_a_photograph_keeps_its_colours(shown: list[dict[str, str]]) -> None:
    def photograph() -> Figure:
        figure, axes = plt.subplots(figsize=(3, 2))
        axes.imshow(np.random.default_rng(0).random((200, 300, 3)))
        return figure

    show(photograph, alt="Coloured noise.")
    assert pictures(shown[0]["text/html"])[0].getcolors(maxcolors=20_000) is None


def test_slide_holds_every_frame_in_both_styles(shown: list[dict[str, str]]) -> None:
    slide(line, [0.5, 1.0, 2.0], label="height <h>", alt="A line of height {value}.", start=1)
    html = shown[0]["text/html"]
    held = frames(html)
    assert [frame["value"] for frame in held] == ["0.5", "1", "2"]
    assert held[2]["alt"] == "A line of height 2."
    assert len({frame["light"] for frame in held} | {frame["dark"] for frame in held}) == 6
    assert f"base64,{held[1]['light']}" in html
    assert 'type="range"' in html
    assert 'max="2" step="1" value="1"' in html
    assert "<http" not in html


def test_slides_control_is_labelled_and_names_do_not_collide(shown: list[dict[str, str]]) -> None:
    for _ in range(2):
        slide(line, [1, 2], label="height <h>", alt="A line.")
    names = [re.findall(r' id="([^"]+)"', bundle["text/html"]) for bundle in shown]
    assert len({name for pair in names for name in pair}) == 4
    for bundle, (figure, control) in zip(shown, names, strict=True):
        assert f'<label for="{control}">height &lt;h&gt;:</label>' in bundle["text/html"]
        assert f'getElementById("{figure}")' in bundle["text/html"]


def test_a_value_cannot_end_the_script(shown: list[dict[str, str]]) -> None:
    slide(lambda value: line(), ["</script>", "b"], label="word", alt="A line, {value}.")
    assert shown[0]["text/html"].count("</script>") == 1


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"label": ""}, "label: expected some words"),
        ({"alt": ""}, "alt: expected some words"),
        ({"values": [1]}, "values: expected 2 to 16 values, got 1"),
        ({"values": list(range(17))}, "values: expected 2 to 16 values, got 17"),
        ({"start": 2}, "start: expected a position from 0 to 1, got 2"),
    ],
)
def test_slide_names_a_wrong_argument(changed: dict[str, Any], message: str) -> None:
    arguments = {"values": [1, 2], "label": "height", "alt": "A line."} | changed
    with pytest.raises(ValueError, match=message):
        slide(line, **arguments)


def test_colours_follow_the_style_and_come_back() -> None:
    with drawing_in(DARK):
        assert colours() == DARK
        assert plt.rcParams["axes.facecolor"] == DARK.background
    assert colours() == LIGHT


@pytest.mark.parametrize("style", [LIGHT, DARK], ids=["light", "dark"])
def test_every_colour_can_be_told_from_the_background(style: Any) -> None:
    def luminance(colour: str) -> float:
        parts = np.array(rgb(colour)) / 255
        linear = np.where(parts <= 0.03928, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    def contrast(colour: str) -> float:
        lighter, darker = sorted((luminance(colour), luminance(style.background)), reverse=True)
        return (lighter + 0.05) / (darker + 0.05)

    words = (style.text, style.muted, style.anchor, style.positive, style.negative, style.accent)
    assert min(map(contrast, words)) >= 4.5  # WCAG AA for text
    assert min(map(contrast, style.categorical)) >= 3.0  # and for graphics
