// Talks to the village computer; the personal link in the address is the only key.

const PATIENCE_MS = 60_000;
export const MAX_AUDIO_BYTES = 25 * 1024 * 1024;

/** The village computer could not be reached or is in trouble: worth trying again. */
export class OutOfReach extends Error {}

/** crypto.randomUUID is missing on plain http, where the phone's own recorder is used. */
export function newTurnId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export class Api {
  constructor(token) {
    this.token = token;
  }

  /** Sends `{id, audio}` or `{id, text}` once. The same id again is still one turn. */
  async turn({ id, audio, text }) {
    const form = new FormData();
    form.set("turn_id", id);
    if (audio) form.set("audio", audio, "recording");
    else form.set("text", text);
    const response = await this.ask("/api/turn", { method: "POST", body: form });
    // A refusal holds a reply that can be shown and spoken, like any answer.
    return await response.json().catch(() => {
      throw new OutOfReach("not an answer");
    });
  }

  async sound(url) {
    const response = await this.ask(url);
    if (!response.ok) throw new OutOfReach(`no sound: ${response.status}`);
    return await response.blob();
  }

  async notices() {
    const response = await this.ask("/api/notices");
    if (!response.ok) throw new OutOfReach(`no notices: ${response.status}`);
    return (await response.json()).notices;
  }

  async heard(noticeId) {
    await this.ask(`/api/notices/${noticeId}/heard`, { method: "POST" });
  }

  async ask(url, options = {}) {
    let response;
    try {
      response = await fetch(url, {
        ...options,
        headers: { Authorization: `Bearer ${this.token}` },
        cache: "no-store",
        signal: AbortSignal.timeout ? AbortSignal.timeout(PATIENCE_MS) : undefined,
      });
    } catch (cause) {
      throw new OutOfReach("no network", { cause });
    }
    if (response.status === 401 || response.status === 403) {
      // The link was revoked while the page was open: the server's own page says what to do.
      location.reload();
      return await new Promise(() => {});
    }
    if (response.status >= 500) throw new OutOfReach(`in trouble: ${response.status}`);
    return response;
  }
}
