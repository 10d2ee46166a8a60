/** The answer of each network as a card. */

import { make } from "../elements.js";
import { digits, percent, quantity } from "../format.js";

/** @import { Exported, ModelFile } from "../types" */

const SHOWN = 5;

/**
 * A card that says which file runs; the answer comes later.
 * @param {Exported} network
 * @param {ModelFile} file
 */
export function card(network, file) {
  return make(
    "article",
    { class: "card", "data-file": file.file },
    make("h3", {}, `${network.name}, ${file.format}`),
    make("p", { class: "remark" }, `${quantity(file.bytes, "bytes")}; ${network.origin}`),
    make("p", { class: "answer", role: "status" }, "Running …"),
  );
}

/**
 * Show the most probable classes and the measured time.
 * @param {HTMLElement} element A card.
 * @param {number[]} output
 * @param {string[]} labels
 * @param {{median: number, p90: number, runs: number}} times
 */
export function answer(element, output, labels, { median, p90, runs }) {
  const ranked = output
    .map((probability, index) => ({ probability, label: labels[index] ?? String(index) }))
    .sort((a, b) => b.probability - a.probability)
    .slice(0, SHOWN);
  const rows = ranked.map(({ probability, label }) => {
    const bar = make("td", { class: "bar" }, percent(probability));
    bar.style.setProperty("--share", `${100 * Math.max(probability, 0)}%`);
    return make("tr", {}, make("th", { scope: "row" }, label), bar);
  });
  show(element, `${digits(median)} ms, p90 ${digits(p90)} ms (${runs} runs)`);
  element.append(
    make("table", { "aria-label": "Most probable classes" }, make("tbody", {}, ...rows)),
  );
}

/**
 * @param {HTMLElement} element A card.
 * @param {string} text
 * @param {boolean} [bad]
 */
export function show(element, text, bad = false) {
  const line = element.querySelector(".answer");
  if (line) line.textContent = text;
  line?.classList.toggle("bad", bad);
}
