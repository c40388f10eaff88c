// Notices for this person as cards; a task offered to a neighbour has two big buttons.

import { OutOfReach } from "./api.js";
import { fillChoices } from "./view.js";

const EVERY_MS = 4_000;
const SLOWEST_MS = 30_000;

export class Notices {
  /** `on`: arrived(), choose(button, id), listen(id) when a card is touched */
  constructor(api, place, on) {
    this.api = api;
    this.place = place;
    this.on = on;
    this.cards = new Map();
    this.wait = EVERY_MS;
  }

  begin() {
    document.addEventListener("visibilitychange", () => this.look());
    this.look();
  }

  async look() {
    clearTimeout(this.timer);
    if (document.visibilityState === "hidden") return;
    try {
      this.update(await this.api.notices());
      this.wait = EVERY_MS;
    } catch (trouble) {
      if (!(trouble instanceof OutOfReach)) throw trouble;
      this.wait = Math.min(this.wait * 2, SLOWEST_MS);
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), this.wait);
  }

  update(notices) {
    const waiting = new Set(notices.map(({ id }) => id));
    for (const [id, card] of this.cards) {
      // A task that went to somebody else leaves; a plain message stays until the next turn.
      if (card.notice.buttons.length > 0 && !waiting.has(id)) this.remove(id);
    }
    const fresh = notices.filter(({ id }) => !this.cards.has(id));
    fresh.forEach((notice) => this.add(notice));
    if (fresh.length > 0) this.on.arrived();
  }

  add(notice) {
    const element = document.getElementById("card").content.firstElementChild.cloneNode(true);
    const words = element.querySelector(".card-words");
    words.textContent = notice.text;
    words.addEventListener("click", () => this.on.listen(notice.id));
    element.dataset.kind = notice.kind;
    fillChoices(element.querySelector(".choices"), notice.buttons, (button) =>
      this.on.choose(button, notice.id),
    );
    this.place.append(element);
    if (this.cards.size === 0) element.scrollIntoView({ block: "nearest" });
    this.cards.set(notice.id, { notice, element, spoken: false });
  }

  /** The oldest notice that nobody has heard yet, or undefined. */
  unspoken() {
    return [...this.cards.values()].find((card) => !card.spoken)?.notice;
  }

  showSpeaking(id, isSpeaking) {
    const card = this.cards.get(id);
    if (!card) return;
    card.element.classList.toggle("speaking", isSpeaking);
    if (isSpeaking) card.element.scrollIntoView({ block: "nearest" });
  }

  /** It was said, as far as this browser can: not said again by itself. */
  markSpoken(id) {
    const card = this.cards.get(id);
    if (card) card.spoken = true;
  }

  /** A task counts as heard when it is answered; until then it must come back on a reload. */
  wantsAnswer(id) {
    return this.cards.get(id)?.notice.buttons.length > 0;
  }

  async heard(id) {
    try {
      await this.api.heard(id);
    } catch (trouble) {
      // It stays queued and is said once more after the next start: better twice than never.
      if (!(trouble instanceof OutOfReach)) throw trouble;
    }
  }

  remove(id) {
    this.cards.get(id)?.element.remove();
    this.cards.delete(id);
  }

  clearHeard() {
    for (const [id, card] of this.cards) {
      if (card.spoken && card.notice.buttons.length === 0) this.remove(id);
    }
  }
}
