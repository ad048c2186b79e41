// Whether a player's picture moves: the last picture of a camera that has stopped is not the present one.

const FROZEN_MS = 2500; // time without a new picture after which the last one is old: five pictures of the slowest camera

export class Moving {
  #player;
  #frames = 0;
  #movedAt = 0;

  live = false; // there was a picture since reset()
  frozen = false; // the last one is old

  constructor(player) {
    this.#player = player;
  }

  /** Age of the last picture in ms. */
  get ageMs() {
    return performance.now() - this.#movedAt;
  }

  /** Count the player's pictures; to be called a few times a second. */
  look() {
    if (!this.#player.srcObject) {
      this.reset();
      return;
    }
    const { totalVideoFrames: frames } = this.#player.getVideoPlaybackQuality();
    if (frames > this.#frames) {
      this.#movedAt = performance.now();
      this.live = true;
    }
    this.#frames = frames;
    this.frozen = this.live && this.ageMs > FROZEN_MS;
  }

  /** Begin again: another picture is to come. */
  reset() {
    this.#frames = this.#player.srcObject ? this.#player.getVideoPlaybackQuality().totalVideoFrames : 0;
    this.live = this.frozen = false;
  }
}
