"""The figures of bench.py as tables of Markdown."""

STAGES = ("load, silver", "identity", "star", "marts", "checks")


def ratio(ours, theirs):
    return f"{ours / theirs:.2f}" if theirs else "-"


def pair(title, ours, theirs):
    """Stages and whole of one kind of run, side by side."""
    lines = [
        f"| {title} | Throughline wall s | DuckDB wall s | ratio"
        " | Throughline CPU s | DuckDB CPU s | ratio |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for stage in STAGES:
        a, b = ours["stages"][stage]["wall"], theirs["stages"][stage]["wall"]
        cpu = theirs["stages"][stage]["cpu"]
        lines.append(f"| {stage} | {a:.2f} | {b:.2f} | {ratio(a, b)} | | {cpu:.2f} | |")
    lines.append(
        f"| **whole process** | **{ours['wall']:.2f}** | **{theirs['wall']:.2f}**"
        f" | **{ratio(ours['wall'], theirs['wall'])}** | **{ours['cpu']:.2f}**"
        f" | **{theirs['cpu']:.2f}** | **{ratio(ours['cpu'], theirs['cpu'])}** |"
    )
    lines.append(
        f"| peak memory, MiB | {ours['peak_mib']:.0f} | {theirs['peak_mib']:.0f}"
        f" | {ratio(ours['peak_mib'], theirs['peak_mib'])} | | | |"
    )
    lines.append(
        f"| on disk, MB | {ours['disk'] / 1e6:.0f} | {theirs['disk'] / 1e6:.0f}"
        f" | {ratio(ours['disk'], theirs['disk'])} | | | |"
    )
    return "\n".join(lines)


def steps(ours, theirs, count=12):
    """Where the time goes: the longest steps of each side."""
    lines = ["| Throughline | wall s | DuckDB | wall s | CPU s |", "|---|---:|---|---:|---:|"]
    theirs = sorted(theirs["steps"], key=lambda step: -step[1])
    for a, b in list(zip(ours["steps"], theirs))[:count]:
        lines.append(f"| {a[0]} | {a[1]:.2f} | {b[0]} | {b[1]:.2f} | {b[2]:.2f} |")
    return "\n".join(lines)


def size(result):
    """All tables of one size."""
    summary = result["summary"]
    parts = [
        f"\n## {summary['event_lines']:,} events in {summary['sessions']:,} sessions,"
        f" {summary['days']} days, {result['exports'] / 1e6:.0f} MB of exports\n",
        pair("full build", *result["full"]),
    ]
    if len(result["all"][0]) > 1:
        texts = [" ".join(f"{cpu:.1f}" for cpu in side) for side in result["all"]]
        parts.append(f"\nCPU seconds of every run: Throughline {texts[0]}; DuckDB {texts[1]}.")
    parts += ["", steps(*result["full"])]
    if result.get("dashboard"):
        parts += ["\n### Dashboards\n", result["dashboard"]]
    parts += ["\n### Journey science by itself\n", result["science"]]
    if result["day"]:
        parts += [
            f"\n### One more day ({result['day_files']} files)\n",
            pair("one more day", *result["day"]),
            "",
            steps(*result["day"]),
        ]
    verdict = "equal" if not result["found"] else f"{len(result['found'])} DIFFERENCES"
    parts.append(f"\nResults: {verdict}.")
    return "\n".join(parts)


def growth(results):
    """Cost of an event over the sizes."""
    lines = [
        "\n## Growth of cost per event (full build)\n",
        "| events | Throughline CPU µs per event | DuckDB CPU µs per event | ratio"
        " | Throughline wall s | DuckDB wall s | ratio | Throughline MiB | DuckDB MiB |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for result in results:
        events = result["summary"]["event_lines"]
        ours, theirs = result["full"]
        lines.append(
            f"| {events:,} | {ours['cpu'] / events * 1e6:.1f} | {theirs['cpu'] / events * 1e6:.1f}"
            f" | {ratio(ours['cpu'], theirs['cpu'])} | {ours['wall']:.1f} | {theirs['wall']:.1f}"
            f" | {ratio(ours['wall'], theirs['wall'])} | {ours['peak_mib']:.0f}"
            f" | {theirs['peak_mib']:.0f} |"
        )
    return "\n".join(lines)
