/** One photograph from the camera. */

import { byId } from "../elements.js";
import { ReadError } from "../read.js";
import { pixelsOf } from "./image.js";

export class Camera {
  constructor() {
    /** @type {HTMLVideoElement} */
    this.video = byId("video");
  }

  /** Show what the camera sees. */
  async open() {
    if (!navigator.mediaDevices) {
      throw new ReadError("This browser gives no camera to this page.");
    }
    try {
      this.video.srcObject = await navigator.mediaDevices.getUserMedia({ video: true });
    } catch (error) {
      const refused = /** @type {Error} */ (error).name === "NotAllowedError";
      throw new ReadError(refused ? "The camera was not allowed." : "There is no camera to use.");
    }
    await this.video.play();
  }

  /** Take a photograph, and let go of the camera. */
  take() {
    const image = pixelsOf(this.video, this.video.videoWidth, this.video.videoHeight);
    this.close();
    return image;
  }

  close() {
    const stream = /** @type {MediaStream | null} */ (this.video.srcObject);
    for (const track of stream?.getTracks() ?? []) track.stop();
    this.video.srcObject = null;
  }

  get isOpen() {
    return this.video.srcObject !== null;
  }
}
