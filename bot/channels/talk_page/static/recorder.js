// The microphone: opened for one utterance, closed right after it.

import { Silence } from "./silence.js";

const LISTEN_EVERY_MS = 50;
const LONGEST_MS = 60_000;
const CONTAINERS = ["audio/webm;codecs=opus", "audio/mp4", "audio/ogg;codecs=opus", "audio/ogg"];

/** Plain http on a village network gives a page no microphone. */
export function canRecord() {
  return Boolean(navigator.mediaDevices?.getUserMedia && window.MediaRecorder);
}

export class Recorder {
  /** `onLevel(0..1)` while listening; `onEnd()` once when the person has finished
   * speaking and been quiet for `patience` milliseconds. */
  constructor({ sounds, patience, onLevel, onEnd }) {
    this.sounds = sounds;
    this.patience = patience;
    this.onLevel = onLevel;
    this.onEnd = onEnd;
    this.untilQuiet = false;
    this.thrownAway = false;
  }

  /** Raises what getUserMedia raises when there is no microphone or it may not be used. */
  async start() {
    this.stream = await navigator.mediaDevices.getUserMedia({
      audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true },
    });
    if (this.thrownAway) return this.close();
    const mimeType = CONTAINERS.find((type) => MediaRecorder.isTypeSupported(type));
    this.recorder = new MediaRecorder(this.stream, mimeType ? { mimeType } : {});
    this.pieces = [];
    this.recorder.ondataavailable = ({ data }) => this.pieces.push(data);
    this.recorder.start(250);
    this.limit = setTimeout(() => this.end(), LONGEST_MS);
    this.watchLevel();
  }

  get isOn() {
    return this.recorder?.state === "recording";
  }

  /** From now on it ends by itself when the person falls silent. */
  endWhenQuiet() {
    this.untilQuiet = true;
  }

  /** Ends listening; gives the recording. */
  async stop() {
    const stopped = new Promise((resolve) => (this.recorder.onstop = resolve));
    this.recorder.stop();
    await stopped;
    this.close();
    return new Blob(this.pieces, { type: this.recorder.mimeType });
  }

  throwAway() {
    this.thrownAway = true;
    if (this.isOn) this.recorder.stop();
    this.close();
  }

  close() {
    clearTimeout(this.limit);
    clearInterval(this.watch);
    this.source?.disconnect();
    this.stream?.getTracks().forEach((track) => track.stop());
    this.onLevel(0);
  }

  end() {
    if (!this.isOn || this.ending) return;
    this.ending = true;
    this.onEnd();
  }

  watchLevel() {
    const context = this.sounds.context();
    if (!context) return;
    const analyser = context.createAnalyser();
    this.source = context.createMediaStreamSource(this.stream);
    this.source.connect(analyser);
    const wave = new Float32Array(analyser.fftSize);
    this.watch = setInterval(() => {
      // Before the first touch is over a browser may still keep sound asleep: no level, no end.
      if (context.state !== "running") return;
      analyser.getFloatTimeDomainData(wave);
      const level = Math.sqrt(wave.reduce((sum, sample) => sum + sample * sample, 0) / wave.length);
      this.onLevel(Math.min(1, level * 6));
      if (!this.untilQuiet) return;
      // Counted from here: a person may have been asked long whether the microphone may be used.
      this.silence ??= new Silence(performance.now(), this.patience);
      if (this.silence.ended(level, performance.now())) this.end();
    }, LISTEN_EVERY_MS);
  }
}
