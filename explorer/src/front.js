/** The Pareto front as a table, whose networks can be chosen. */

import { cost } from "./catalogue.js";
import { byId, make, setText } from "./elements.js";
import { accuracy, quantity } from "./format.js";

/** @import { Device, Network } from "./types" */

export class FrontTable {
  /** @param {(id: string) => void} choose */
  constructor(choose) {
    this.choose = choose;
    this.shown = "";
  }

  /**
   * @param {Network[]} front
   * @param {{key: string, title: string, unit: string}} axis
   * @param {Device | undefined} device
   * @param {string} chosen Id of the chosen network.
   */
  draw(front, axis, device, chosen) {
    const shown = `${axis.key} ${device?.name} ${front.map(({ id }) => id)}`;
    if (shown !== this.shown) {
      this.shown = shown;
      setText(byId("front-cost"), axis.title);
      const rows = front.map((network) => this.#row(network, cost(network, axis.key, device), axis));
      byId("front-rows").replaceChildren(...rows);
    }
    for (const button of byId("front-rows").querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(button.dataset.id === chosen));
    }
  }

  /**
   * @param {Network} network
   * @param {number | undefined} value
   * @param {{unit: string}} axis
   */
  #row(network, value, { unit }) {
    const button = make("button", { type: "button", "data-id": network.id }, network.label);
    button.addEventListener("click", () => this.choose(network.id));
    return make(
      "tr",
      {},
      make("th", { scope: "row" }, button),
      make("td", {}, accuracy(network)),
      make("td", {}, quantity(value ?? NaN, unit)),
    );
  }
}
