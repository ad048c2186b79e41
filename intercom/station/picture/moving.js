// Whether a player's picture moves: the last picture of a camera that has stopped is not the present one.

const FROZEN_MS = 2500; // time without a new picture after which the last one is old: five pictures of the slowest camera

export class Moving {
  #player;
  #counted = 0;
  #seen = 0;
  #movedAt = 0;

  live = false; // there was a picture since reset()
  frozen = false; // the last one is old

  /** `began` is called with the first picture, where the browser tells of each (Firefox counts none of a stream). */
  constructor(player, began = () => {}) {
    this.#player = player;
    if (!("requestVideoFrameCallback" in player)) return;
    const seen = () => {
      this.#counted += 1;
      player.requestVideoFrameCallback(seen);
      if (!this.live) began();
    };
    player.requestVideoFrameCallback(seen);
  }

  /** Age of the last picture in ms. */
  get ageMs() {
    return performance.now() - this.#movedAt;
  }

  /** Look for new pictures; to be called a few times a second. */
  look() {
    if (!this.#player.srcObject) {
      this.reset();
      return;
    }
    if (this.#pictures > this.#seen) {
      this.#movedAt = performance.now();
      this.live = true;
    }
    this.#seen = this.#pictures;
    this.frozen = this.live && this.ageMs > FROZEN_MS;
  }

  /** Begin again: another picture is to come. */
  reset() {
    this.#seen = this.#pictures;
    this.live = this.frozen = false;
  }

  get #pictures() {
    return this.#counted || this.#player.getVideoPlaybackQuality().totalVideoFrames;
  }
}
