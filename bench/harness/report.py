#!/usr/bin/env python3
"""Tables and pictures from the lines that beltway_bench wrote.

    report.py RESULTS.jsonl FOLDER

Writes FOLDER/tables.md (Markdown) and a picture for each kind of scenario (gnuplot, SVG). Every figure is a median of runs
of near slices; a dash says that no slice was near, an empty field that the candidate does not do this. If a scenario was
measured several times, the last one counts.
"""
import collections
import json
import pathlib
import subprocess
import sys


def size_name(size):
    for unit, name in ((1 << 20, "M"), (1 << 10, "K")):
        if size >= unit and size % unit == 0:
            return f"{size // unit}{name}"
    return str(size)


def median(line, *keys):
    """The median that the line has under `keys`, or None."""
    value = line["near"]
    for key in keys:
        value = value.get(key) if value else None
    return value["median"] if value else None


def three_digits(value):
    if value is None:
        return "-"
    for unit, name in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if value >= unit:
            return f"{value / unit:.3g}{name}"
    return f"{value:.3g}"


def scenario_of(line):
    """What a table is about; sizes are its columns."""
    return (line["mode"], line["producers"], line["consumers"], line["fanout"], line.get("rate"), line.get("footprint"))


def title_of(scenario):
    mode, producers, consumers, fanout, rate, footprint = scenario
    title = {"latency": "Half a round trip, ns", "one_way": "One way, ns", "throughput": "Throughput, messages/s"}[mode]
    title += f", {producers} to {consumers}"
    if consumers > 1:
        title += ", each gets all" if fanout == "all" else ", each message to one"
    if rate:
        title += f", {rate} messages/s"
    if footprint:
        title += f", through {size_name(footprint)}"
    return title


def table(lines, sizes, cell):
    """Rows of Markdown: a candidate a row, a size a column."""
    candidates = list(dict.fromkeys(candidate for candidate, _ in lines))
    rows = ["| | " + " | ".join(size_name(size) for size in sizes) + " |", "|---" * (len(sizes) + 1) + "|"]
    for candidate in candidates:
        cells = [cell(lines[candidate, size]) if (candidate, size) in lines else "" for size in sizes]
        rows.append(f"| {candidate} | " + " | ".join(cells) + " |")
    return rows


def ratio_cell(lines, value):
    """A cell: this line's value as a ratio to the raw limit of its size."""

    def cell(line):
        raw_names = ("raw-flag", "raw-slots") if line["mode"] == "latency" and line["size"] <= 64 else ("raw-slots",)
        raw = next((lines[name, line["size"]] for name in raw_names if (name, line["size"]) in lines), None)
        if raw is None or not value(raw) or value(line) is None:
            return "-"
        return f"{value(line) / value(raw):.2f}"

    return cell


def section(scenario, lines):
    sizes = sorted({size for _, size in lines})
    text = [f"## {title_of(scenario)}", ""]
    if any(line["oversubscribed"] for line in lines.values()):
        text += ["More workers than processors: oversubscribed.", ""]
    if scenario[0] == "throughput":
        def main(line):
            return median(line, "messages_per_s")
        text += table(lines, sizes, lambda line: three_digits(main(line)))
        text += ["", "GB/s:", ""]
        text += table(lines, sizes, lambda line: "-" if main(line) is None else f"{main(line) * line['size'] / 1e9:.3g}")
    else:
        def main(line):
            return median(line, "latency_ns", "slice_mean" if scenario[0] == "latency" else "p50")
        for key in ["p50", "p99", "p99_9", "p99_99", "max"] + (["slice_mean"] if scenario[0] == "latency" else []):
            text += [f"{key.replace('_', '.', 1) if key[0] == 'p' else key.replace('_', ' ')}:", ""]
            text += table(lines, sizes, lambda line, key=key: three_digits(median(line, "latency_ns", key))) + [""]
    text += ["", "As a ratio to the raw limit:", ""] + table(lines, sizes, ratio_cell(lines, main))
    text += ["", "Near slices, raw probe (ns), bytes in flight:", ""]
    text += table(lines, sizes, lambda line: f"{line['slices_near']}, {three_digits(median(line, 'probe_ns'))}, "
                                             f"{size_name(line['bytes_in_flight'])}")
    return text + [""], main


def picture(name, scenario, lines, main, folder):
    """Against the size, or the histogram where there is only one."""
    candidates = list(dict.fromkeys(candidate for candidate, _ in lines))
    sizes = sorted({size for _, size in lines})
    script = [f'set terminal svg size 1000,600 background "white"; set output "{folder / name}.svg"',
              f'set title "{title_of(scenario)}"; set key outside noenhanced; set grid; set logscale xy']
    plots = []
    if len(sizes) > 1 or scenario[0] == "throughput":
        script.append(f'set xlabel "bytes of a message"; set ylabel "{"messages/s" if scenario[0] == "throughput" else "ns"}"')
        points = {c: [(s, main(lines[c, s])) for s in sizes if (c, s) in lines and main(lines[c, s])] for c in candidates}
    else:
        script.append('set xlabel "ns"; set ylabel "share of messages that took longer"')
        points = {c: tail(lines[c, sizes[0]]) for c in candidates}
    for number, (candidate, pairs) in enumerate(points.items()):
        if not pairs:
            continue
        script.append(f"$data{number} << END\n" + "\n".join(f"{x} {y}" for x, y in pairs) + "\nEND")
        plots.append(f'$data{number} with linespoints pointsize 0.4 title "{candidate}"')
    if not plots:
        return False
    script.append("plot " + ", ".join(plots))
    subprocess.run(["gnuplot"], input="\n".join(script), text=True, check=True)
    return True


def tail(line):
    """The histogram as the share of messages above each value."""
    buckets = line["near"].get("histogram") or []
    left = total = sum(count for _, count in buckets)
    points = []
    for value, count in buckets:
        left -= count
        if left:
            points.append((value, left / total))
    return points


def main():
    results, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    scenarios = collections.defaultdict(dict)
    with open(results, encoding="utf-8") as file:
        for text in file:
            line = json.loads(text)
            scenarios[scenario_of(line)][line["candidate"], line["size"]] = line
    tables = ["# Figures", "", "Read them as ratios to the raw lines beside them; bench/README.md has the method.", ""]
    machine = folder / "machine.txt"
    if machine.exists():
        tables += ["```", machine.read_text(encoding="utf-8").strip(), "```", ""]
    for scenario, lines in scenarios.items():
        text, value = section(scenario, lines)
        tables += text
        name = "-".join(str(part) for part in scenario if part is not None)
        if picture(name, scenario, lines, value, folder):
            tables += [f"![{title_of(scenario)}]({name}.svg)", ""]
    (folder / "tables.md").write_text("\n".join(tables), encoding="utf-8")


if __name__ == "__main__":
    main()
