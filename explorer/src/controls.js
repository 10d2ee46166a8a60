/** The controls: a slider or a list for each knob, and for each limit. */

import { cost, valuesOf } from "./catalogue.js";
import { byId, make, setText } from "./elements.js";
import { knobValue, quantity } from "./format.js";

/** @import { Catalogue, Device, Network, State } from "./types" */

const ALWAYS_SHOWN = ["network", "alpha", "rho"];
const SLIDERS = 3; // a knob of fewer numbers is a list

/**
 * Fill a list.
 * @param {HTMLSelectElement} list
 * @param {{value: string, text: string}[]} options
 */
export function fill(list, options) {
  list.replaceChildren(
    ...options.map(({ value, text }) => make("option", { value }, text)),
  );
}

/** A control for every knob that has several values in a data set. */
export class Knobs {
  /**
   * @param {Catalogue} catalogue
   * @param {(key: string, value: number | string) => void} onTurn
   */
  constructor(catalogue, onTurn) {
    this.catalogue = catalogue;
    this.onTurn = onTurn;
    this.dataset = "";
    /** @type {{key: string, show: (network: Network) => void}[]} */
    this.controls = [];
  }

  /**
   * Show the knobs of a network.
   * @param {Network[]} networks All of its data set.
   * @param {Network} chosen
   */
  show(networks, chosen) {
    if (this.dataset !== chosen.dataset) {
      this.dataset = chosen.dataset;
      this.#build(networks);
    }
    for (const control of this.controls) control.show(chosen);
  }

  /** @param {Network[]} networks */
  #build(networks) {
    const main = byId("knobs");
    const more = byId("more-knobs");
    main.replaceChildren();
    more.replaceChildren();
    this.controls = [];
    for (const knob of this.catalogue.knobs) {
      const values = valuesOf(networks, knob.key);
      if (values.length < 2) continue;
      const numbers = values.every((value) => typeof value === "number");
      const control =
        numbers && values.length >= SLIDERS
          ? this.#slider(knob, values)
          : this.#list(knob, values);
      (ALWAYS_SHOWN.includes(knob.key) ? main : more).append(control.element);
      this.controls.push({ key: knob.key, show: control.show });
    }
    byId("more").hidden = !more.children.length;
  }

  /**
   * @param {import("./types").Knob} knob
   * @param {(number | string)[]} values
   */
  #slider({ key, title, about }, values) {
    const { element, input, output } = slider(`knob-${key}`, title, values.length - 1);
    input.title = about;
    input.addEventListener("input", () => this.onTurn(key, values[input.valueAsNumber]));
    return {
      element,
      /** @param {Network} network */
      show({ knobs }) {
        const index = values.indexOf(/** @type {number} */ (knobs[key]));
        input.disabled = index < 0;
        const text = knobValue(key, knobs[key]);
        move(input, output, Math.max(index, 0), text);
      },
    };
  }

  /**
   * @param {import("./types").Knob} knob
   * @param {(number | string)[]} values
   */
  #list({ key, title, about }, values) {
    const list = make("select", { id: `knob-${key}`, title: about });
    fill(
      list,
      values.map((value, index) => ({ value: String(index), text: knobValue(key, value) })),
    );
    list.addEventListener("change", () => this.onTurn(key, values[Number(list.value)]));
    const element = make("p", { class: "control" }, make("label", { for: list.id }, title), list);
    return {
      element,
      /** @param {Network} network */
      show({ knobs }) {
        const index = values.indexOf(/** @type {string} */ (knobs[key]));
        list.disabled = index < 0;
        list.value = String(index);
      },
    };
  }
}

/** A slider for the upper limit of every cost: through the costs that networks have. */
export class Limits {
  /**
   * @param {Catalogue} catalogue
   * @param {(key: string, limit: number | null) => void} onLimit
   */
  constructor(catalogue, onLimit) {
    this.basis = "";
    this.sliders = catalogue.costs.map(({ key, title, unit }) => {
      const { element, input, output } = slider(`limit-${key}`, `${title} at most`, 1);
      /** @type {number[]} */
      let steps = [];
      input.addEventListener("input", () => {
        const index = input.valueAsNumber;
        onLimit(key, index < steps.length ? steps[index] : null);
      });
      byId("limits").append(element);
      return {
        key,
        element,
        /** @param {number[]} values */
        range(values) {
          steps = values;
          input.max = String(values.length);
        },
        /** @param {number | undefined} limit */
        show(limit) {
          const fitting = steps.filter((step) => limit === undefined || step <= limit).length;
          const index = limit === undefined ? steps.length : Math.max(fitting - 1, 0);
          move(input, output, index, limit === undefined ? "no limit" : quantity(limit, unit));
        },
      };
    });
  }

  /**
   * @param {Network[]} networks
   * @param {State} state
   * @param {Device | undefined} device
   */
  show(networks, state, device) {
    const basis = `${state.dataset} ${device?.name}`;
    for (const limit of this.sliders) {
      if (basis !== this.basis) {
        const costs = networks.map((network) => cost(network, limit.key, device));
        const known = costs.filter((value) => value !== undefined);
        limit.range([...new Set(known)].sort((a, b) => a - b));
        limit.element.hidden = !known.length;
      }
      limit.show(state.limits[limit.key]);
    }
    this.basis = basis;
  }
}

/**
 * A slider from 0 to `last`, with its value in words beside it.
 * @param {string} id
 * @param {string} title
 * @param {number} last
 */
function slider(id, title, last) {
  const input = make("input", { type: "range", id, min: "0", max: String(last), step: "1" });
  const output = make("output", { for: id });
  const label = make("label", { for: id }, title);
  return { element: make("p", { class: "control" }, label, output, input), input, output };
}

/**
 * @param {HTMLInputElement} input
 * @param {HTMLOutputElement} output
 * @param {number} index
 * @param {string} text
 */
function move(input, output, index, text) {
  if (input.valueAsNumber !== index) input.value = String(index);
  if (input.getAttribute("aria-valuetext") !== text) input.setAttribute("aria-valuetext", text);
  setText(output, text);
}
