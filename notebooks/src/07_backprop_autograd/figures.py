"""The figure of lesson 07: values go forward, gradients come back."""

from helpers import graphs, plots

SIGNS = {"p": "×", "s": "+", "q": "square", "r": "square", "L": "+"}


def walk(value: dict, sent: dict, step: int) -> graphs.Drawing:
    """Draws the tape of L = (xw + b)² + w² after some of its ten steps.

    Args:
        value: per name its value.
        sent: per edge the gradient that comes back along it.
        step: 0 to 5 forward, 6 to 10 backward.
    """
    order = list(SIGNS)
    seen, back = order[:step], order[::-1][: max(step - 5, 0)]
    active = (back or seen or [None])[-1]
    nodes = {}
    for leaf in "xbw":
        got = [g for (i, name), g in sent.items()
               if i == leaf and name in back]  # fmt: skip
        words = "\ngrad " + " + ".join(f"{g:g}" for g in got) if got else ""
        words += f" = {sum(got):g}" if len(got) > 1 else ""
        label = f"{leaf} = {value[leaf]:g}{words}"
        nodes[leaf] = {"label": label, "kind": "param"}
        nodes[leaf] |= {"width": "1.45", "height": "0.55"}
    for name, sign in SIGNS.items():
        fill = plots.COLORS["yellow"] if name == active else "#e8e8e8"
        nodes[name] = {"label": sign, "fillcolor": fill, "width": "0.5"}
    nodes["loss"] = {"label": "loss", "kind": "output"}
    edges = []
    for (i, name), slope in sent.items():  # white keeps a label's room
        known = i in "xwb" or i in seen
        came = name in back or (name == "loss" and back)
        above = (f"{i} = {value[i]:g}", "black" if known else "white")
        red = plots.COLORS["vermillion"] if came else "white"
        edges.append((i, name, above, (f"grad {slope:g}", red)))
    return graphs.dag(nodes, edges)
