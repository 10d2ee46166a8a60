/** The chosen network: its numbers, its layers as bars, and how it is made. */

import { cost, exceeded } from "./catalogue.js";
import { byId, make, setText } from "./elements.js";
import { accuracy, digits, percent, quantity } from "./format.js";

/** @import { Catalogue, Details, Device, Network, State } from "./types" */

const FIRST = 2; // of a layer's cells with a number; name and kind come before it
const NUMBERS = 3; // mult-adds, weights, activations

export class DetailsPanel {
  /** @param {Catalogue} catalogue */
  constructor(catalogue) {
    this.catalogue = catalogue;
    /** @type {Details | null} */
    this.details = null;
    this.shown = "";
    for (const button of document.querySelectorAll("button[data-copies]")) {
      button.addEventListener("click", () => copy(/** @type {HTMLButtonElement} */ (button)));
    }
  }

  /**
   * @param {Network} network
   * @param {State} state
   * @param {Device | undefined} device
   */
  show(network, state, device) {
    setText(byId("chosen-label"), network.label);
    const beyond = exceeded(network, state.limits, device);
    const titles = this.catalogue.costs
      .filter(({ key }) => beyond.includes(key))
      .map(({ title }) => title);
    const limited = Object.keys(state.limits).length;
    const verdict = titles.length
      ? `Exceeds the limit of: ${titles.join(", ")}.`
      : "Within all limits.";
    setText(byId("verdict"), limited ? verdict : "");
    byId("verdict").classList.toggle("bad", titles.length > 0);
    this.#numbers(network, device);
    const shown = `${network.id} ${this.details ? "full" : ""}`;
    if (shown === this.shown) return;
    this.shown = shown;
    setText(byId("copied"), "");
    this.#layers(network);
    this.#origin(network);
  }

  /**
   * @param {Network} network
   * @param {Device | undefined} device
   */
  #numbers(network, device) {
    const { knobs } = network;
    const seeds = network.top1.map(percent).join(", ");
    const rows = [
      ["Top-1", accuracy(network), network.top1.length > 1 ? `of each seed: ${seeds}` : ""],
      ["Trained with", `${knobs.recipe}, ${knobs.epochs} epochs`, ""],
      ["Input", `${network.side} × ${network.side} px`, ""],
      ...this.catalogue.costs.map(({ key, title, unit }) => {
        const value = cost(network, key, device);
        const text = value === undefined ? "not known" : quantity(value, unit);
        return [title, text, this.#remark(network, key, value, device)];
      }),
    ];
    const list = byId("numbers");
    if (list.children.length !== 3 * rows.length) {
      list.replaceChildren(
        ...rows.flatMap(() => [make("dt"), make("dd"), make("dd", { class: "remark" })]),
      );
    }
    rows.flat().forEach((text, index) => setText(list.children[index], text));
  }

  /**
   * @param {Network} network
   * @param {string} key
   * @param {number | undefined} value
   * @param {Device | undefined} device
   */
  #remark(network, key, value, device) {
    if (value === undefined) return "";
    if (network.estimated.includes(key)) return "estimated from the layers";
    if (key !== "milliseconds") return "";
    const reference = device?.references[String(network.knobs.network)];
    return `estimate by mult-adds for ${device?.name}, which took ${digits(
      reference?.milliseconds ?? NaN,
    )} ms for ${quantity(reference?.mult_adds ?? NaN, "M")}`;
  }

  /** @param {Network} network */
  #layers(network) {
    const { details } = this;
    const columns = details?.networks[network.id]?.layers?.map((index) => details.columns[index]);
    const [names, kinds, ...numbers] = columns ?? [[], []];
    byId("no-layers").hidden = !details || names.length > 0;
    byId("layers").hidden = !names.length;
    const body = byId("layer-rows");
    while (body.children.length > names.length) body.lastElementChild?.remove();
    while (body.children.length < names.length) body.append(row());
    const most = numbers.map((column) => Math.max(...column));
    names.forEach((name, index) => {
      const cells = body.children[index].children;
      setText(cells[0], details?.texts[name] ?? "");
      setText(cells[1], details?.texts[kinds[index]] ?? "");
      numbers.forEach((column, number) => {
        const cell = /** @type {HTMLElement} */ (cells[FIRST + number]);
        setText(cell, quantity(column[index], "M"));
        cell.style.setProperty("--share", `${((100 * column[index]) / most[number]).toFixed(1)}%`);
      });
    });
  }

  /** @param {Network} network */
  #origin(network) {
    const detail = this.details?.networks[network.id];
    if (!this.details || !detail) return;
    const { texts } = this.details;
    const missing = {
      command: "No script of this version trains exactly this network any more.",
      python: "The library does not have the builder of this network.",
    };
    /** @param {number[] | null} parts @param {string} between */
    const joined = (parts, between) =>
      parts && parts.map((index) => texts[index]).join(between);
    const made = { command: joined(detail.command, " "), python: joined(detail.python, "\n") };
    for (const what of /** @type {const} */ (["command", "python"])) {
      const text = made[what];
      byId(what).replaceChildren(...words(text ?? missing[what], what === "command"));
      const button = document.querySelector(`button[data-copies=${what}]`);
      /** @type {HTMLButtonElement} */ (button).disabled = text === null;
    }
    setText(
      byId("origin"),
      `Record of table ${detail.table}, trained on ${texts[detail.device]} in ` +
        `${digits(detail.minutes)} minutes at commit ${detail.commits.join(", ")}.`,
    );
    setText(byId("remark"), texts[detail.remark]);
  }
}

/**
 * A text, or its words, between which alone a line breaks: not inside a flag.
 * @param {string} text
 * @param {boolean} apart
 */
function words(text, apart) {
  if (!apart) return [text];
  return text.split(" ").flatMap((word) => [make("span", { class: "word" }, word), " "]).slice(0, -1);
}

function row() {
  const cells = Array.from({ length: NUMBERS }, () => make("td", { class: "bar" }));
  return make("tr", {}, make("th", { scope: "row" }), make("td"), ...cells);
}

/**
 * Copy the text that a button stands beside; where the browser refuses, select it.
 * @param {HTMLButtonElement} button
 */
async function copy(button) {
  const source = byId(String(button.dataset.copies));
  try {
    await navigator.clipboard.writeText(source.textContent ?? "");
    setText(byId("copied"), "Copied.");
  } catch {
    getSelection()?.selectAllChildren(source);
    setText(byId("copied"), "Selected; copy it with the keyboard.");
  }
}
