/** LiteRT in WebAssembly: files are checked, loaded once, run, and timed. */

import { loadAndCompile, loadLiteRt, Tensor } from "@litertjs/core";

import { read, ReadError } from "../read.js";
import { roundHalfToEven } from "./image.js";

/** @import { CompiledModel } from "@litertjs/core" */
/** @import { ModelFile } from "../types" */

const WASM = "lib/litert/wasm/";
const RUNS = 30; // of a measurement, or fewer where that takes too long
const LEAST_RUNS = 5;
const MOST_MILLISECONDS = 2000;
const WARM_UP = 2;

/** @type {Promise<unknown> | null} */
let loading = null;
/** @type {Map<string, Promise<CompiledModel>>} */
const models = new Map();

/** Load the runtime, once. */
function runtime() {
  if (typeof WebAssembly === "undefined") {
    throw new ReadError("This browser has no WebAssembly, which running networks needs.");
  }
  loading ??= loadLiteRt(WASM).catch((error) => {
    loading = null;
    throw new ReadError(`LiteRT cannot be loaded: ${error?.message ?? "its files are missing"}.`);
  });
  return loading;
}

/**
 * A network that is ready to run; it stays loaded.
 * @param {ModelFile} file
 * @returns {Promise<CompiledModel>}
 */
export async function load(file) {
  await runtime();
  let model = models.get(file.sha256);
  if (!model) {
    model = compile(file);
    models.set(file.sha256, model);
    model.catch(() => models.delete(file.sha256));
  }
  return model;
}

/** @param {ModelFile} file */
async function compile({ file, sha256 }) {
  const response = await read(file);
  const content = await response.arrayBuffer();
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", content));
  const found = Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
  if (found !== sha256) {
    throw new ReadError(
      `${file} is another file than the page was made with; make explorer makes both again.`,
    );
  }
  try {
    return await loadAndCompile(new Uint8Array(content), { accelerator: "wasm" });
  } catch (error) {
    throw new ReadError(`LiteRT cannot load ${file}: ${/** @type {Error} */ (error).message}`);
  }
}

/**
 * The output of a network for an image.
 * @param {CompiledModel} model
 * @param {Float32Array<ArrayBuffer>} pixels From 0 to 255; rounded where the file takes integers.
 * @returns {Promise<number[]>}
 */
export async function run(model, pixels) {
  const [{ dtype, shape }] = model.getInputDetails();
  const values = dtype === "uint8" ? Uint8Array.from(pixels, roundHalfToEven) : pixels;
  const input = new Tensor(values, Array.from(shape));
  const outputs = await model.run(input);
  const result = Array.from(await outputs[0].data());
  input.delete();
  for (const output of outputs) output.delete();
  return result;
}

/**
 * Milliseconds of one image: median and 90th percentile of some runs after a warm-up.
 * @param {CompiledModel} model
 * @param {Float32Array<ArrayBuffer>} pixels
 */
export async function time(model, pixels) {
  const durations = [];
  let total = 0;
  for (let index = 0; index < WARM_UP; index++) await run(model, pixels);
  while (durations.length < RUNS) {
    const start = performance.now();
    await run(model, pixels);
    durations.push(performance.now() - start);
    total += durations[durations.length - 1];
    if (total > MOST_MILLISECONDS && durations.length >= LEAST_RUNS) break;
  }
  durations.sort((a, b) => a - b);
  return {
    median: quantile(durations, 0.5),
    p90: quantile(durations, 0.9),
    runs: durations.length,
  };
}

/**
 * @param {number[]} ordered
 * @param {number} share
 */
function quantile(ordered, share) {
  const position = share * (ordered.length - 1);
  const low = Math.floor(position);
  const high = Math.min(low + 1, ordered.length - 1);
  return ordered[low] + (ordered[high] - ordered[low]) * (position - low);
}
