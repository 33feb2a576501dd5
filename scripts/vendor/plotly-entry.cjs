// The trace types that analytics/charts.py may use. One that is not registered here is drawn as a
// scatter without any error, so tests/e2e/test_chart_drawing.py draws each of them.
// scatter needs no line: the core registers it.
const Plotly = require("plotly.js/lib/core");

Plotly.register([
  require("plotly.js/lib/bar"),
  require("plotly.js/lib/funnel"),
  require("plotly.js/lib/heatmap"),
  require("plotly.js/lib/pie"),
  require("plotly.js/lib/sankey"),
]);

module.exports = Plotly;
