"""What the tests look at in pictures and pages."""

from __future__ import annotations

import struct
from html.parser import HTMLParser


def png_size(png: bytes) -> tuple[int, int]:
    """Read width and height of a PNG file, which must be whole."""
    assert png.startswith(b"\x89PNG\r\n\x1a\n")
    assert png.endswith(b"IEND\xaeB`\x82")
    width, height = struct.unpack(">II", png[16:24])
    return width, height


class Page(HTMLParser):
    """A page, taken apart: its elements with their attributes, the words in each, and the rows of its tables."""

    VOID = ("meta", "img")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[tuple[str, str]] = []
        self.rows: list[tuple[str, ...]] = []
        self._row: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)
        if tag == "tr":
            self._row = []
        if tag in ("td", "th"):
            self._row.append("")

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag == "tr" and self.open[-1] == "tbody":
            self.rows.append(tuple(self._row))

    def handle_data(self, data: str) -> None:
        if self.open:
            self.words.append((self.open[-1], data))
            if self.open[-1] in ("td", "th"):
                self._row[-1] += data
