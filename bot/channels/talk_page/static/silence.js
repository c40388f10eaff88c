// Tells from loudness alone when somebody has finished speaking.

const NOBODY_SPOKE_MS = 8_000;
const LONGEST_MS = 60_000;
const SPEECH_TICKS = 3;
const FLOOR_WINDOW_MS = 3_000;
const SOFTEST_SPEECH = 0.012;
const LOUDEST_THRESHOLD = 0.05;

export class Silence {
  /** `patience`: milliseconds of quiet that end it; who was cut off before is given more. */
  constructor(now, patience) {
    this.patience = patience;
    this.began = now;
    this.lastLoud = now;
    this.loudTicks = 0;
    this.recent = [];
  }

  /** True as soon as listening should end. `level` is the RMS of the last moment, 0 to 1. */
  ended(level, now) {
    if (now - this.began >= LONGEST_MS) return true;
    // The softest moment of the last seconds is the room itself: a fan, a television.
    this.recent.push([now, level]);
    while (this.recent[0][0] < now - FLOOR_WINDOW_MS) this.recent.shift();
    const floor = Math.min(...this.recent.map(([, loudness]) => loudness));
    const threshold = Math.min(Math.max(3 * floor, SOFTEST_SPEECH), LOUDEST_THRESHOLD);
    if (level > threshold) {
      this.loudTicks += 1;
      this.lastLoud = now;
    }
    const spoke = this.loudTicks >= SPEECH_TICKS;
    return spoke ? now - this.lastLoud >= this.patience : now - this.began >= NOBODY_SPOKE_MS;
  }
}
