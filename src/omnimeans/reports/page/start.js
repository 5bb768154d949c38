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

// The navigation shows which section is being read: the first of those on the upper half of the screen.
if ("IntersectionObserver" in window) {
  const links = new Map(Array.from(document.querySelectorAll("nav a"), (a) => [a.hash.slice(1), a]));
  const sections = Array.from(document.querySelectorAll("section"));
  const visible = new Set();
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) entry.isIntersecting ? visible.add(entry.target) : visible.delete(entry.target);
    const first = sections.find((section) => visible.has(section));
    links.forEach((link) => link.removeAttribute("aria-current"));
    if (first !== undefined) links.get(first.id)?.setAttribute("aria-current", "true");
  }, { rootMargin: "-15% 0px -60% 0px" });
  sections.forEach((section) => seen.observe(section));
}
