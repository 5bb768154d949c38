"use strict";
// The iteration player: every iteration is two steps, first the assignment of rows, then the update
// of centres.  A slider and buttons go through them; what happens is also said in words.

class Player {
  constructor(data, map) {
    this.data = data;
    this.map = map;
    this.step = 0;
    this.timer = null;
    this.labels = [data.first];
    for (const [rows, values] of data.changes) {
      const next = this.labels[this.labels.length - 1].slice();
      rows.forEach((row, i) => { next[row] = values[i]; });
      this.labels.push(next);
    }
    this.x = data.points.map((i) => map.x[i]);
    this.y = data.points.map((i) => map.y[i]);
    this.chart = document.getElementById("player-chart");
    this.slider = document.getElementById("player-slider");
    this.button = document.getElementById("player-play");
    this.status = document.getElementById("player-status");
    this.slider.max = this.last;
    this.slider.addEventListener("input", () => { this.stop(); this.show(Number(this.slider.value)); });
    this.button.addEventListener("click", () => (this.timer === null ? this.play() : this.stop()));
    document.getElementById("player-back").addEventListener("click", () => { this.stop(); this.show(this.step - 1); });
    document.getElementById("player-on").addEventListener("click", () => { this.stop(); this.show(this.step + 1); });
  }

  get last() { return 2 * this.labels.length; } // 0 is the start, then two for each iteration

  // Which assignment and which centres are seen at a step.
  at(step) {
    const assigned = Math.ceil(step / 2) - 1;
    return { assigned, moved: Math.floor(step / 2), update: step > 0 && step % 2 === 0 };
  }

  traces() {
    const { assigned, moved, update } = this.at(this.step);
    const t = theme();
    const labels = assigned < 0 ? null : this.labels[assigned];
    const before = assigned > 0 && !update ? this.labels[assigned - 1] : labels;
    const rims = labels === null ? 0 : labels.map((label, i) => (label === before[i] ? 0 : 1.5));
    const cx = this.data.cx, cy = this.data.cy, k = scene.k;
    const pathX = [], pathY = [];
    for (let j = 0; j < k; j += 1) {
      for (let m = 0; m <= moved; m += 1) { pathX.push(cx[m][j]); pathY.push(cy[m][j]); }
      pathX.push(null); pathY.push(null);
    }
    return [
      {
        type: "scatter", mode: "markers", x: this.x, y: this.y, hoverinfo: "skip", name: "rows",
        marker: {
          size: 7, opacity: update ? 0.45 : 0.85, symbol: labels === null ? "circle" : labels.map(symbol),
          color: labels === null ? t.quiet : labels.map(color), line: { color: t.ink, width: rims },
        },
      },
      { type: "scatter", mode: "lines", x: pathX, y: pathY, hoverinfo: "skip", line: { color: t.spot, width: 1.5 }, name: "paths" },
      centersTrace(cx[moved], cy[moved], k),
    ];
  }

  words() {
    const { assigned, moved, update } = this.at(this.step);
    if (assigned < 0) return "Start: the first centres, and rows that belong to none yet.";
    const number = this.data.numbers[assigned];
    const rows = this.data.moved[assigned];
    const inertia = `inertia so far ${this.data.inertia[assigned]}`;
    if (!update) {
      const change = assigned === 0 ? "each row goes to its nearest centre" : rows === 0 ? "no row changes" : rows === 1 ? "1 row changes its cluster" : `${count(rows)} rows change their cluster`;
      return `Iteration ${number}, assignment: ${change}; ${inertia}.`;
    }
    const still = this.data.cx[moved].every((x, j) => x === this.data.cx[moved - 1][j] && this.data.cy[moved][j] === this.data.cy[moved - 1][j]);
    return `Iteration ${number}, update: ${still ? "no centre moves any more" : "each centre moves to the middle of its rows"}; ${inertia}.`;
  }

  show(step) {
    this.step = Math.max(0, Math.min(this.last, step));
    this.slider.value = this.step;
    const words = this.words();
    this.slider.setAttribute("aria-valuetext", words);
    this.status.textContent = words;
    this.mark();
    return Plotly.react(this.chart, this.traces(), this.layout(), CONFIG);
  }

  // Show on the curve of convergence where the player is, if the curve is of the same run.
  mark() {
    const place = document.getElementById("convergence-chart");
    if (place === null || !place.data || !place.data[1]) return;
    const { assigned } = this.at(this.step);
    const number = assigned < 0 ? 0 : this.data.numbers[assigned];
    const y = number > 0 ? scene.convergence.inertia[number - 1] : undefined;
    const here = y !== undefined && Math.abs(y - this.data.values[assigned]) <= 1e-9 * Math.abs(y);
    Plotly.restyle(place, { x: [here ? [number] : []], y: [here ? [y] : []] }, [1]);
  }

  // Let the centres glide to where an update puts them; the page shows the end in any case.
  glide(step) {
    const { moved, update } = this.at(step);
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    if (!update || still) return this.show(step);
    const cx = this.data.cx, cy = this.data.cy, begin = performance.now();
    const between = (from, to, share) => from.map((value, j) => value + share * (to[j] - value));
    const frame = (now) => {
      if (this.timer === null) { this.show(this.step); return; } // paused on the way
      const share = Math.min(1, (now - begin) / 450), eased = share * share * (3 - 2 * share);
      if (share >= 1) { this.show(step); return; }
      Plotly.restyle(this.chart, {
        x: [between(cx[moved - 1], cx[moved], eased)], y: [between(cy[moved - 1], cy[moved], eased)],
      }, [2]);
      requestAnimationFrame(frame);
    };
    this.step = step - 1;
    requestAnimationFrame(frame);
    return Promise.resolve();
  }

  layout() {
    const axes = axesOf(this.map);
    const reach = (values, centers) => {
      const all = values.concat(...centers);
      const low = all.reduce((a, b) => Math.min(a, b)), high = all.reduce((a, b) => Math.max(a, b));
      const room = 0.06 * (high - low || 1);
      return [low - room, high + room];
    };
    axes.xaxis.range = reach(this.x, this.data.cx);
    axes.yaxis.range = reach(this.y, this.data.cy);
    return layout({ ...axes, hovermode: "closest" });
  }

  play() {
    if (this.step >= this.last) this.step = -1;
    this.button.textContent = "Pause";
    this.status.setAttribute("aria-live", "off");
    const tick = () => {
      if (this.step >= this.last) { this.stop(); return; }
      this.timer = setTimeout(tick, 900);
      this.glide(this.step + 1);
    };
    tick();
  }

  stop() {
    clearTimeout(this.timer);
    this.timer = null;
    this.button.textContent = "Play";
    this.status.setAttribute("aria-live", "polite");
  }
}
