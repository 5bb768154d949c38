"use strict";
// The charts of the page: each is a function from a block of data to Plotly's traces and layout.
// Colours and markers are told apart by people with any kind of colour vision (Okabe and Ito, 2008).

const SYMBOLS = ["circle", "square", "triangle-up", "diamond", "triangle-down", "pentagon", "star"];
const MANY = 40;        // more clusters than this share one trace, and their centres have no numbers
const NAMED = 12;       // more clusters than this have no legend: the bars of their sizes serve as one
const FEW_POINTS = 3000; // more points than this are drawn by the graphics processor

const scene = JSON.parse(document.getElementById("scene").textContent);
const COLORS = scene.colors;
const color = (j) => COLORS[j % COLORS.length];
const inkOn = (j) => scene.inks[j % COLORS.length];
const symbol = (j) => SYMBOLS[j % SYMBOLS.length];
// Plotly reads a little HTML in its texts: what comes from the data must not be read so.
const plain = (text) => String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
const clip = (text, most) => plain(text.length > most ? text.slice(0, most - 1) + "…" : text);
const range = (n) => Array.from({ length: n }, (_, i) => i);
const count = (n) => n.toLocaleString("en");
const narrow = () => innerWidth < 640;
const touched = () => matchMedia("(pointer: coarse)").matches;
// Show every so many tick labels, so that they do not cover each other.
const every = (n, room) => Math.max(1, Math.ceil((n * room) / Math.min(1000, innerWidth - 100)));

function theme() {
  const style = getComputedStyle(document.documentElement);
  const read = (name) => style.getPropertyValue("--" + name).trim();
  return { paper: read("paper"), ink: read("ink"), quiet: read("quiet"), grid: read("grid"), accent: read("accent"), spot: read("spot"), above: read("above"), below: read("below") };
}

function layout(more) {
  const t = theme();
  const axis = { gridcolor: t.grid, zerolinecolor: t.grid, linecolor: t.quiet, automargin: true, title: {} };
  for (const side of [more.xaxis, more.yaxis]) if (side.title) side.title.font = { size: 12 };
  const base = {
    paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)",
    font: { color: t.ink, family: "inherit", size: 13 },
    margin: { l: 55, r: 12, t: 12, b: 45 },
    dragmode: touched() ? false : "zoom",
    hoverlabel: { bgcolor: t.paper, bordercolor: t.quiet, font: { color: t.ink } },
    legend: { orientation: "h", y: 1.02, yanchor: "bottom", font: { size: 12 } },
    modebar: { bgcolor: "rgba(0,0,0,0)", color: t.quiet, activecolor: t.accent },
    showlegend: false,
  };
  return { ...base, ...more, xaxis: { ...axis, ...more.xaxis }, yaxis: { ...axis, ...more.yaxis } };
}

const CONFIG = {
  responsive: true, displaylogo: false, displayModeBar: touched() ? false : "hover",
  modeBarButtonsToRemove: ["select2d", "lasso2d"],
};

function axesOf(map) {
  const xaxis = { title: { text: clip(map.axes[0], 60) } };
  const yaxis = { title: { text: clip(map.axes[1], 60) }, visible: !map.flat };
  if (map.square) yaxis.scaleanchor = "x";
  return { xaxis, yaxis };
}

function hasGraphics() {
  try {
    return Boolean(document.createElement("canvas").getContext("webgl"));
  } catch {
    return false;
  }
}

// Centres are discs in their cluster's colour, with its number; of very many, small crosses.
function centersTrace(cx, cy, k, type = "scatter") {
  const t = theme(), few = k <= MANY;
  return {
    type, mode: few ? "markers+text" : "markers", name: "centres", x: cx, y: cy, text: range(k).map(String),
    textposition: "middle center", textfont: { color: few ? range(k).map(inkOn) : t.ink, size: k <= NAMED ? 13 : 11, weight: 700 },
    marker: few
      ? { symbol: "circle", size: k <= NAMED ? 24 : 19, opacity: 1, color: range(k).map(color), line: { color: t.ink, width: 2 } }
      : { symbol: "x", size: 9, color: t.spot, line: { color: t.paper, width: 1 } },
    hovertemplate: "centre %{text}<extra></extra>", showlegend: false,
  };
}

function mapChart(map) {
  const type = map.x.length > FEW_POINTS && hasGraphics() ? "scattergl" : "scatter";
  const size = map.x.length > 5000 ? 4 : map.x.length > 800 ? 5 : 7;
  const k = scene.k;
  const groups = k <= MANY ? range(k).map(() => []) : [range(map.x.length)];
  if (k <= MANY) map.label.forEach((label, i) => groups[label].push(i));
  const traces = groups.map((rows, j) => ({
    type, mode: "markers", name: k <= MANY ? `${j} (${count(map.sizes[j])})` : "rows",
    x: rows.map((i) => map.x[i]), y: rows.map((i) => map.y[i]),
    customdata: rows.map((i) => [plain(map.row[i]), map.label[i]]),
    hovertemplate: "row %{customdata[0]}, cluster %{customdata[1]}<extra></extra>",
    marker: {
      size, opacity: 0.85, line: { width: map.x.length > 5000 ? 0 : 0.5, color: theme().quiet },
      color: k <= MANY ? color(j) : rows.map((i) => color(map.label[i])),
      symbol: k <= MANY ? symbol(j) : rows.map((i) => symbol(map.label[i])),
    },
  }));
  const centers = centersTrace(map.cx, map.cy, k, type); // of the same kind, so that they lie on top
  traces.push(type === "scatter" ? centers : { ...centers, mode: "markers" });
  const numbers = type === "scatter" || k > MANY ? [] : range(k).map((j) => ({
    x: map.cx[j], y: map.cy[j], text: `<b>${j}</b>`, showarrow: false, font: { color: inkOn(j), size: k <= NAMED ? 13 : 11 },
  }));
  return { data: traces, layout: layout({ ...axesOf(map), annotations: numbers, showlegend: k <= NAMED && !narrow(), hovermode: "closest" }) };
}

function sizesChart(sizes) {
  return {
    data: [{
      type: "bar", x: range(scene.k), y: sizes.size, marker: { color: range(scene.k).map(color), cornerradius: 4 },
      text: scene.k <= NAMED ? sizes.size.map(count) : undefined, textposition: "outside", cliponaxis: false,
      customdata: sizes.share.map((s) => (100 * s).toFixed(1)),
      hovertemplate: "cluster %{x}: %{y:,} rows, %{customdata} %<extra></extra>",
    }],
    layout: layout({ xaxis: { title: { text: "cluster" }, dtick: every(scene.k, 28) }, yaxis: { title: { text: "rows" } } }),
  };
}

function heatChart(heat) {
  const t = theme();
  const most = heat.z.flat().reduce((a, b) => Math.max(a, Math.abs(b)), 0.5);
  const shown = range(heat.names.length).filter((j) => j % every(heat.names.length, 20) === 0);
  const small = heat.z.length * heat.names.length <= (narrow() ? 16 : 150);
  return {
    data: [{
      type: "heatmap", z: heat.z, x: range(heat.names.length), y: range(scene.k), zmin: -most, zmax: most, xgap: 1, ygap: 1,
      colorscale: [[0, t.below], [0.5, t.paper], [1, t.above]],
      customdata: heat.center.map((row) => row.map((value, j) => [plain(heat.names[j]), value])),
      text: small ? heat.z.map((row) => row.map((z) => (z > 0 ? "+" : "") + z.toFixed(1))) : undefined,
      texttemplate: small ? "%{text}" : undefined,
      hovertemplate: "cluster %{y}, %{customdata[0]}: %{customdata[1]} (z = %{z:.2f})<extra></extra>",
      colorbar: { title: { text: "z" }, thickness: 12, outlinewidth: 0 },
    }],
    layout: layout({
      xaxis: { tickvals: shown, ticktext: shown.map((j) => clip(heat.names[j], 22)), tickangle: heat.names.length > (narrow() ? 2 : 6) ? -60 : 0, showgrid: false },
      yaxis: { title: { text: "cluster" }, autorange: "reversed", dtick: Math.ceil(scene.k / 25), showgrid: false },
    }),
  };
}

function barsChart(bars) {
  return {
    data: [{
      type: "bar", orientation: "h", x: bars.explained.map((share) => 100 * share), y: range(bars.names.length),
      marker: { color: theme().accent, cornerradius: 3 }, text: bars.explained.map((share) => (100 * share).toFixed(0) + " %"), textposition: "auto",
      customdata: bars.names.map((name, i) => [plain(name), bars.f[i]]),
      hovertemplate: "%{customdata[0]}: %{x:.1f} % explained, F = %{customdata[1]}<extra></extra>",
    }],
    layout: layout({
      xaxis: { title: { text: narrow() ? "explained, %" : "variance explained by the clusters, %" }, range: [0, 100] },
      yaxis: { tickvals: range(bars.names.length), ticktext: bars.names.map((name) => clip(name, 22)), autorange: "reversed", showgrid: false },
    }),
  };
}

function silhouetteChart(found) {
  let next = 0;
  const middles = [];
  const traces = found.slices.map((values, j) => {
    const y = values.map((_, i) => next + i);
    middles.push(next + values.length / 2);
    next += values.length + 12;
    return {
      type: "bar", orientation: "h", x: values, y, width: 1, name: `cluster ${j}`,
      marker: { color: color(j), line: { width: 0 } }, hovertemplate: `cluster ${j}: %{x:.3f}<extra></extra>`,
    };
  });
  const t = theme();
  const shown = range(scene.k).filter((j) => j % Math.ceil((17 * scene.k) / (narrow() ? 260 : 400)) === 0);
  return {
    data: traces,
    layout: layout({
      bargap: 0, xaxis: { title: { text: "silhouette" } },
      yaxis: { tickvals: shown.map((j) => middles[j]), ticktext: shown.map(String), title: { text: "cluster" }, autorange: "reversed", showgrid: false },
      shapes: [{ type: "line", x0: found.mean, x1: found.mean, yref: "paper", y0: 0, y1: 1, line: { color: t.spot, dash: "dash", width: 2 } }],
    }),
  };
}

function curve(y, x, title, more) {
  return {
    type: "scatter", mode: "lines+markers", x, y, name: title, line: { color: theme().accent, width: 2 }, marker: { size: 6 },
    hovertemplate: "%{x}: %{y:.6g}<extra></extra>", ...more,
  };
}

function convergenceChart(found) {
  const x = range(found.inertia.length).map((i) => i + 1);
  return {
    data: [
      curve(found.inertia, x, "inertia"),
      { type: "scatter", mode: "markers", x: [], y: [], hoverinfo: "skip", marker: { size: 14, color: theme().spot, line: { color: theme().paper, width: 2 } } },
    ],
    layout: layout({ xaxis: { title: { text: "iteration" } }, yaxis: { title: { text: "inertia" } } }),
  };
}

function agreementChart(found) {
  const text = found.counts.map((row) => row.map(count));
  const small = found.classes.length * found.clusters.length <= 400;
  return {
    data: [{
      type: "heatmap", z: found.counts, x: range(found.clusters.length), y: range(found.classes.length), text, xgap: 1, ygap: 1,
      texttemplate: small ? "%{text}" : undefined, colorscale: [[0, theme().paper], [1, "#0072B2"]], zmin: 0,
      customdata: found.classes.map((name) => found.clusters.map((label) => [plain(name), label])),
      hovertemplate: "class %{customdata[0]}, cluster %{customdata[1]}: %{text} rows<extra></extra>",
      colorbar: { thickness: 12, outlinewidth: 0 },
    }],
    layout: layout({
      xaxis: { title: { text: "cluster" }, tickvals: range(found.clusters.length), ticktext: found.clusters.map(String), showgrid: false },
      yaxis: { title: { text: "class" }, tickvals: range(found.classes.length), ticktext: found.classes.map((name) => clip(name, 22)), autorange: "reversed", showgrid: false },
    }),
  };
}

function sweepChart(found) {
  const t = theme();
  const bars = found.errors ? { error_y: { type: "data", array: found.errors, color: t.quiet } } : {};
  return {
    data: [curve(found.values, found.ks, found.name, bars)],
    layout: layout({
      margin: { l: 45, r: 8, t: 6, b: 36 }, font: { color: t.ink, family: "inherit", size: 11 },
      xaxis: { title: { text: "number of clusters" } }, yaxis: {},
      shapes: [{ type: "line", x0: scene.k, x1: scene.k, yref: "paper", y0: 0, y1: 1, line: { color: t.spot, dash: "dot", width: 2 } }],
    }),
  };
}

const CHARTS = {
  map: mapChart, sizes: sizesChart, heat: heatChart, bars: barsChart, silhouette: silhouetteChart,
  convergence: convergenceChart, agreement: agreementChart,
};
