"""Where things lie in a chart that Plotly drew."""


def plot_point(page, x, y):
    """Where a value of the outcomes chart lies on the screen."""
    return page.evaluate(
        """([x, y]) => {
            const plot = document.querySelector(".chart-plot"), { xaxis, yaxis } = plot._fullLayout;
            const box = plot.getBoundingClientRect();
            return [box.x + xaxis._offset + xaxis.d2p(x), box.y + yaxis._offset + yaxis.d2p(y)];
        }""",
        [x, y],
    )
