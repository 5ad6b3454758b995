# SPDX-License-Identifier: MIT
"""docs/benchmark.svg from the numbers: bars on logarithmic scales, and growth as lines."""
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 1160, 1230
PANEL_W, PANEL_H, TOP, LEFT, GAP = 540, 350, 70, 30, 20
LABEL_W, VALUE_W = 100, 70
COLOURS = {"erlinit": "#0b6e4f", "null": "#9aa5b1", "straight-line": "#9aa5b1"}
PEER = "#d08c60"
LINES = ("#0b6e4f", "#d08c60", "#3b6ea5", "#8e5ea2")


def _text(x, y, words, size=12, anchor="start", weight="normal", colour="#222"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" font-weight="{weight}" '
            f'fill="{colour}">{escape(words)}</text>')


def _short(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def bars(x, y, title, values):
    """A panel of horizontal bars, smallest first; VALUES: {name: number}."""
    out = [_text(x, y, title, 15, weight="bold")]
    names = sorted(values, key=values.get)
    low = 10 ** math.floor(math.log10(max(min(values.values()), 1e-3)) - 0.3)
    high = max(values.values()) * 1.05
    room, step = PANEL_W - LABEL_W - VALUE_W, (PANEL_H - 40) / max(len(names), 6)

    def place(value):
        return room * math.log(max(value, low) / low) / math.log(high / low)
    mark = low
    while mark <= high:
        at = x + LABEL_W + place(mark)
        out.append(f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{y + 12}" y2="{y + PANEL_H - 24}" stroke="#ddd"/>')
        out.append(_text(at, y + PANEL_H - 10, f"{mark:g}", 10, "middle", colour="#777"))
        mark *= 10
    for row, name in enumerate(names):
        top = y + 16 + row * step
        weight = "bold" if name == "erlinit" else "normal"
        out.append(_text(x + LABEL_W - 6, top + step * 0.6, name, 12, "end", weight))
        out.append(f'<rect x="{x + LABEL_W}" y="{top:.1f}" width="{max(place(values[name]), 1):.1f}" height="{step * 0.76:.1f}" '
                   f'fill="{COLOURS.get(name, PEER)}"/>')
        out.append(_text(x + LABEL_W + place(values[name]) + 5, top + step * 0.6, _short(values[name]), 11, weight=weight))
    return out


def lines(x, y, title, series):
    """A panel of lines, both axes logarithmic; SERIES: {name: {count: number}}."""
    out = [_text(x, y, title, 15, weight="bold")]
    xs = [count for points in series.values() for count in points]
    ys = [value for points in series.values() for value in points.values()]
    low, high, most = 10 ** math.floor(math.log10(min(ys))), max(ys) * 1.2, max(xs) * 1.2
    left, bottom, room_w, room_h = x + 46, y + PANEL_H - 30, PANEL_W - 80, PANEL_H - 60

    def at(count, value):
        return (left + room_w * math.log(max(count, 1)) / math.log(most),
                bottom - room_h * math.log(value / low) / math.log(high / low))
    for mark in (10 ** power for power in range(-1, 4)):
        if low <= mark <= high:
            _, height = at(1, mark)
            out.append(f'<line x1="{left}" x2="{left + room_w}" y1="{height:.1f}" y2="{height:.1f}" stroke="#ddd"/>')
            out.append(_text(left - 6, height + 4, f"{mark:g}", 10, "end", colour="#777"))
        if 1 <= mark <= most:
            along, _ = at(mark, low)
            out.append(_text(along, bottom + 16, f"{mark:g}", 10, "middle", colour="#777"))
    for number, (name, points) in enumerate(series.items()):
        colour = LINES[number % len(LINES)]
        places = [at(count, points[count]) for count in sorted(points)]
        path = " ".join(f"{a:.1f},{b:.1f}" for a, b in places)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.5" fill="{colour}"/>' for a, b in places]
        out.append(f'<rect x="{left + 12}" y="{y + 16 + 18 * number}" width="12" height="12" fill="{colour}"/>')
        out.append(_text(left + 30, y + 27 + 18 * number, name, 12))
    return out


def _medians(section):
    return {name: entry["median"] / 1000 for name, entry in section.items()}


def svg(results):
    columns, rows = (LEFT, LEFT + PANEL_W + GAP), [TOP + 40 + n * (PANEL_H + GAP) for n in range(3)]
    shares = results["footprint"]
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="DejaVu Sans, Helvetica, sans-serif">',
           f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
           _text(LEFT, 40, "erlinit beside two floors and the inits of Debian", 22, weight="bold"),
           _text(LEFT, 64, "Instructions counted, 1 ns each. Logarithmic scales; shorter is better. Green: erlinit. Grey: floors, "
                 "which know everything beforehand.", 13, colour="#555")]
    out += bars(columns[0], rows[0], "Boot, default configuration: ms to the VM", _medians(results["boot default"]))
    out += bars(columns[1], rows[0], "Boot, typical Nerves configuration: ms to the VM", _medians(results["boot typical"]))
    out += bars(columns[0], rows[1], "End with nothing left: ms to the kernel's restart", _medians(results["end, nothing left"]))
    out += bars(columns[1], rows[1], "End with 200 leftovers: ms to the kernel's restart", _medians(results["end, 200 leftovers"]))
    out += bars(columns[0], rows[2], "Memory of PID 1: RSS, kB", {name: max(row["rss_kb"], 1) for name, row in shares.items()})
    out += lines(columns[1], rows[2], "Growth of erlinit's boot: ms by count",
                 {kind: {int(count): us / 1000 for count, us in points.items()} for kind, points in results["growth"].items()})
    return "\n".join([*out, "</svg>"]) + "\n"
