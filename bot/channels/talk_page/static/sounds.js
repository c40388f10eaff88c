// Everything that is heard from the page: answers, soft chimes, and, when the village computer
// cannot be reached, the phone's own voice.

const CHIMES = {
  listen: [[660, 0, 0.09]],
  sent: [[520, 0, 0.09], [660, 0.09, 0.1]],
  thinking: [[392, 0, 0.22], [494, 0.2, 0.28]],
  trouble: [[392, 0, 0.2], [294, 0.22, 0.34]],
};
const CHIME_LOUDNESS = 0.09;

export class Sounds {
  /** `onAwake` once, when the browser has begun to allow sound. */
  constructor(onAwake) {
    this.onAwake = onAwake;
    this.audio = new Audio();
    this.isAwake = false;
    this.playing = 0;
    this.last = [];
  }

  /** Browsers stay mute until a person has touched the page: call inside a touch. */
  wake() {
    this.context()?.resume?.();
    if (this.isAwake || this.waking) return;
    this.waking = true;
    this.audio.src = "/static/silence.wav";
    this.audio.play().then(
      () => {
        this.isAwake = true;
        this.onAwake();
      },
      () => (this.waking = false),
    );
  }

  context() {
    const Context = window.AudioContext ?? window.webkitAudioContext;
    if (!this.sharedContext && Context) this.sharedContext = new Context();
    return this.sharedContext;
  }

  /**
   * Plays promises of sounds one after another; each is asked for while the one before plays.
   * True when all was heard, false when something else began. What is not an answer is not
   * kept for saying it again.
   */
  async play(asks, { isAnswer = true } = {}) {
    const mine = this.hush();
    const heard = [];
    let next = asks[0]?.();
    for (let part = 0; part < asks.length; part += 1) {
      const sound = await next;
      if (mine !== this.playing) return false;
      next = asks[part + 1]?.();
      next?.catch(() => {}); // awaited, and dealt with, in the next round
      heard.push(sound);
      if (isAnswer) this.last = heard;
      await this.playOne(sound);
      if (mine !== this.playing) return false;
    }
    return true;
  }

  get canRepeat() {
    return this.last.length > 0;
  }

  repeat() {
    return this.play(this.last.map((sound) => async () => sound));
  }

  /** Stops what is being said, at once. */
  hush() {
    this.playing += 1;
    this.audio.pause();
    this.release?.();
    window.speechSynthesis?.cancel();
    return this.playing;
  }

  playOne(sound) {
    const address = URL.createObjectURL(sound);
    return new Promise((resolve, reject) => {
      this.release = resolve;
      this.audio.onended = resolve;
      this.audio.onerror = () => reject(new Error("the sound cannot be played"));
      this.audio.src = address;
      this.audio.play().catch((refused) => {
        if (refused.name === "AbortError") resolve();
        else reject(refused);
      });
    }).finally(() => {
      if (this.audio.src === address) {
        // Hushed before it was loaded: let go of it before the address becomes void.
        this.audio.onended = this.audio.onerror = null;
        this.audio.removeAttribute("src");
        this.audio.load();
      }
      URL.revokeObjectURL(address);
    });
  }

  /** The phone's own Chinese voice, only one that needs no network; true when there is one. */
  async sayWithPhone(words) {
    const mine = this.hush();
    const voices = window.speechSynthesis?.getVoices() ?? [];
    const voice = voices.find((one) => one.localService && /^(zh|cmn)/i.test(one.lang));
    if (!voice || !words) return false;
    const utterance = Object.assign(new SpeechSynthesisUtterance(words), {
      voice,
      lang: voice.lang,
      rate: 0.8,
    });
    await new Promise((resolve) => {
      utterance.onend = utterance.onerror = this.release = resolve;
      speechSynthesis.speak(utterance);
    });
    return mine === this.playing;
  }

  chime(name) {
    const context = this.context();
    if (context?.state !== "running") return;
    for (const [pitch, after, length] of CHIMES[name]) {
      const begins = context.currentTime + after;
      const tone = context.createOscillator();
      const loudness = context.createGain();
      tone.frequency.value = pitch;
      loudness.gain.setValueAtTime(0.0001, begins);
      loudness.gain.exponentialRampToValueAtTime(CHIME_LOUDNESS, begins + 0.02);
      loudness.gain.exponentialRampToValueAtTime(0.0001, begins + length);
      tone.connect(loudness).connect(context.destination);
      tone.start(begins);
      tone.stop(begins + length);
    }
  }
}
