"use strict";
// Draw everything once, and again when light turns to dark, or the page to paper.

function drawAll() {
  const jobs = [];
  for (const [name, make] of Object.entries(CHARTS)) {
    const place = document.getElementById(name + "-chart");
    if (place === null || scene[name] === undefined) continue;
    const made = make(scene[name]);
    jobs.push(Plotly.react(place, made.data, made.layout, CONFIG));
  }
  (scene.sweep || []).forEach((found, i) => {
    const made = sweepChart(found);
    jobs.push(Plotly.react(document.getElementById(`sweep-${i}-chart`), made.data, made.layout, CONFIG));
  });
  if (player !== null) jobs.push(player.show(player.step));
  return Promise.all(jobs);
}

const player = scene.player === undefined ? null : new Player(scene.player, scene.map);
drawAll().then(() => { document.documentElement.dataset.ready = "yes"; });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
matchMedia("print").addEventListener("change", drawAll);
addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((d) => { d.open = true; }));
