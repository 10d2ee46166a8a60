/** The page: reads the data, holds the state, draws at most once in a frame. */

import { byId, setText } from "./elements.js";
import { Choose } from "./choose.js";
import { prepare } from "./catalogue.js";
import { readJson, ReadError } from "./read.js";
import { fromLink, remember } from "./state.js";
import { TryPanel } from "./try/panel.js";

/** @import { Catalogue, Data, Details, State } from "./types" */

async function start() {
  /** @type {Data} */
  const data = await readJson("data.json");
  const catalogue = prepare(data);
  let state = fromLink(location.hash, catalogue);
  let waiting = false;

  /** @param {Partial<State>} changes */
  function change(changes) {
    state = { ...state, ...changes };
    remember(state);
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  }

  const choose = new Choose(catalogue, () => state, change);
  const tryPanel = new TryPanel();

  function draw() {
    performance.mark("draw");
    for (const view of /** @type {const} */ (["choose", "try"])) {
      const shown = state.view === view;
      byId(view).hidden = !shown;
      byId(`show-${view}`).setAttribute("aria-current", shown ? "page" : "false");
    }
    if (state.view === "try") tryPanel.open(state.network);
    else choose.draw();
    performance.measure("draw", "draw");
  }

  for (const view of /** @type {const} */ (["choose", "try"])) {
    byId(`show-${view}`).addEventListener("click", (event) => {
      event.preventDefault();
      change({ view });
    });
  }
  addEventListener("hashchange", () => change(fromLink(location.hash, catalogue)));
  byId("page").hidden = false; // before the charts are drawn: they need their width
  byId("loading").hidden = true;
  draw();
  performance.mark("first view");
  /** @type {Details} */
  const details = await readJson("details.json");
  choose.setDetails(details);
}

/** @param {unknown} error */
function report(error) {
  const text = error instanceof ReadError ? error.message : `This page has failed: ${error}`;
  setText(byId("failure"), text);
  byId("failure").hidden = false;
  byId("loading").hidden = true;
  if (!(error instanceof ReadError)) throw error;
}

start().catch(report);
