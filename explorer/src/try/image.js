/** From an image file to a network's input, as the exported files were verified. */

import { ReadError } from "../read.js";

// TF-Slim's evaluation: the central part of height and width, bilinear, no antialiasing.
const CENTRAL_FRACTION = 0.875;
const MOST_PIXELS = 64e6; // of a photograph; browsers draw no larger ones reliably

/**
 * RGB from 0 to 255, row by row.
 * @typedef {{width: number, height: number, rgb: Uint8ClampedArray | Float32Array}} Image
 */

/**
 * Decode an image file: upright, on white, without a colour profile.
 * @param {Blob} blob
 * @param {string} name For the message.
 * @returns {Promise<Image>}
 */
export async function decode(blob, name) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(blob, {
      colorSpaceConversion: "none",
      premultiplyAlpha: "none",
    });
  } catch {
    throw new ReadError(`${name} is no image that this browser can read, or it is damaged.`);
  }
  if (bitmap.width * bitmap.height > MOST_PIXELS) {
    throw new ReadError(`${name} must have at most ${MOST_PIXELS / 1e6} million pixels.`);
  }
  return pixelsOf(bitmap, bitmap.width, bitmap.height);
}

/**
 * The pixels of what a browser can draw.
 * @param {CanvasImageSource} source
 * @param {number} width
 * @param {number} height
 * @returns {Image}
 */
export function pixelsOf(source, width, height) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (!context) throw new ReadError("This browser cannot draw images.");
  context.fillStyle = "#fff";
  context.fillRect(0, 0, width, height);
  context.drawImage(source, 0, 0);
  const { data } = context.getImageData(0, 0, width, height);
  const rgb = new Uint8ClampedArray(width * height * 3);
  for (let from = 0, to = 0; from < data.length; from += 4) {
    rgb[to++] = data[from];
    rgb[to++] = data[from + 1];
    rgb[to++] = data[from + 2];
  }
  return { width, height, rgb };
}

/**
 * The central part of an image at the size of a network: float32 from 0 to 255.
 * @param {Image} image
 * @param {number} side
 * @returns {Float32Array<ArrayBuffer>} `side * side * 3` values.
 */
export function resized({ width, height, rgb }, side) {
  const columns = taps(width, side);
  const rows = taps(height, side);
  const pixels = new Float32Array(side * side * 3);
  let to = 0;
  for (const row of rows) {
    for (const column of columns) {
      for (let channel = 0; channel < 3; channel++) {
        /** @type {(y: number, x: number) => number} */
        const at = (y, x) => rgb[3 * (y * width + x) + channel];
        const top = mix(at(row.low, column.low), at(row.low, column.high), column.share);
        const bottom = mix(at(row.high, column.low), at(row.high, column.high), column.share);
        pixels[to++] = mix(top, bottom, row.share);
      }
    }
  }
  return pixels;
}

/**
 * The two source positions of each target position, and the share of the second.
 * @param {number} size Of the image.
 * @param {number} side Of the target.
 */
function taps(size, side) {
  const inner = Math.max(roundHalfToEven(size * CENTRAL_FRACTION), 1);
  const start = Math.floor((size - inner) / 2);
  return Array.from({ length: side }, (_, index) => {
    const position = ((index + 0.5) * inner) / side - 0.5;
    const low = Math.floor(position);
    return {
      low: start + Math.max(low, 0),
      high: start + Math.min(Math.ceil(position), inner - 1),
      share: position - low,
    };
  });
}

/**
 * @param {number} first
 * @param {number} second
 * @param {number} share
 */
function mix(first, second, share) {
  return first + (second - first) * share;
}

/** @param {number} value Halves to the even neighbour, as NumPy and TensorFlow do. */
export function roundHalfToEven(value) {
  const floor = Math.floor(value);
  if (value - floor !== 0.5) return Math.round(value);
  return floor % 2 ? floor + 1 : floor;
}
