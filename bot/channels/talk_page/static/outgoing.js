// Turns on their way to the village computer, in order. Nothing that was said is thrown away:
// what cannot be sent is kept and sent again under the same id.

import { OutOfReach } from "./api.js";

const WAITS_MS = [1_500, 3_000, 6_000, 10_000];

export class Outgoing {
  /** `events`: sending(turn), retrying(turn, attempt), answered(turn, answer, isLast), stuck(turn) */
  constructor(api, events) {
    this.api = api;
    this.events = events;
    this.queue = [];
    this.working = false;
    this.wake = () => {};
  }

  get isStuck() {
    return this.queue.length > 0 && !this.working;
  }

  push(turn) {
    this.queue.push(turn);
    this.kick();
  }

  /** Tries now instead of waiting: a person pressed, or the network came back. */
  kick() {
    this.wake();
    if (!this.working && this.queue.length > 0) this.work();
  }

  async work() {
    this.working = true;
    while (this.queue.length > 0) {
      const turn = this.queue[0];
      this.events.sending(turn);
      const answer = await this.trySeveralTimes(turn);
      if (answer === null) {
        this.working = false;
        this.events.stuck(turn);
        return;
      }
      this.queue.shift();
      this.events.answered(turn, answer, this.queue.length === 0);
    }
    this.working = false;
  }

  /** The answer, or null when the village computer stays out of reach. */
  async trySeveralTimes(turn) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.api.turn(turn);
      } catch (trouble) {
        if (!(trouble instanceof OutOfReach)) throw trouble;
        if (attempt === WAITS_MS.length) return null;
        this.events.retrying(turn, attempt);
        await this.pause(WAITS_MS[attempt]);
      }
    }
  }

  pause(ms) {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
