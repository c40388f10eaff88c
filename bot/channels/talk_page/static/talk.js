// The talk page: one round button, one answer at a time.

import { Api, MAX_AUDIO_BYTES, OutOfReach, newTurnId } from "./api.js";
import { Notices } from "./notices.js";
import { Outgoing } from "./outgoing.js";
import { watchPress } from "./press.js";
import { Recorder, canRecord } from "./recorder.js";
import { Sounds } from "./sounds.js";
import * as view from "./view.js";

const STILL_THINKING_MS = 1_850; // longer silence feels like nobody is there
const STILL_THERE_MS = 6_000;

const element = (id) => document.getElementById(id);
const api = new Api(view.token());
const sounds = new Sounds(() => speakNextNotice());
const phraseSounds = new Map();
let recording = null;
let listening = false;
let hushing = false;
let thinkingTimer = 0;

const outgoing = new Outgoing(api, {
  sending: think,
  retrying: (_turn, attempt) => {
    if (attempt === 0) sayPhrase("no_network");
  },
  stuck: () => {
    endThinking();
    view.showState("trouble");
    sayPhrase("no_network");
  },
  answered,
});

const notices = new Notices(api, element("cards"), {
  arrived: speakNextNotice,
  listen: (id) => speakNotice(id),
  choose: (button, id) => push({ text: button.payload, shownAs: button.title, noticeId: id }),
});

// Speaking to it

async function beginListening() {
  listening = true;
  // With a finger still on the button the end is the finger's; else silence ends it.
  const mine = new Recorder({
    sounds,
    patience: view.patience(),
    onLevel: view.showLevel,
    onEnd: sendRecording,
  });
  recording = mine;
  sounds.hush();
  endThinking();
  view.showState("opening");
  try {
    await mine.start();
    if (recording !== mine) return;
    view.showState("listening");
    sounds.chime("listen");
    navigator.vibrate?.(25);
  } catch (refused) {
    if (!(refused instanceof DOMException)) throw refused;
    if (recording !== mine) return;
    listening = false;
    recording = null;
    view.useFileRecorder();
    rest();
    sayPhrase("no_microphone");
  }
}

async function sendRecording() {
  const finished = recording;
  // Let go before the microphone was open: it goes on listening until the person is silent.
  if (!finished?.isOn) return finished?.endWhenQuiet();
  listening = false;
  recording = null;
  sounds.chime("sent");
  think();
  push({ audio: await finished.stop() });
}

function stopListening() {
  recording?.throwAway();
  recording = null;
  listening = false;
}

const press = {
  down() {
    sounds.wake();
    hushing = view.state() === "speaking";
    press.began = false;
    if (outgoing.isStuck && !listening) return outgoing.kick();
    if (listening) return sendRecording();
    press.began = true;
    beginListening();
  },
  tap() {
    if (!press.began) return;
    if (hushing) {
      stopListening();
      rest();
    } else recording?.endWhenQuiet();
  },
  held() {
    if (press.began) sendRecording();
  },
  lost() {
    if (press.began) recording?.endWhenQuiet();
  },
};

function pickedFile(event) {
  const [file] = event.target.files;
  event.target.value = "";
  if (!file) return;
  if (file.size > MAX_AUDIO_BYTES) sayPhrase("too_large");
  else push({ audio: file });
}

function touchedFileButton(event) {
  if (event.target.id === "file") return;
  if (view.state() !== "speaking" && !outgoing.isStuck) return;
  event.preventDefault();
  if (outgoing.isStuck) outgoing.kick();
  else {
    sounds.hush();
    rest();
  }
}

function push(turn) {
  if (listening) stopListening();
  sounds.hush();
  view.showChoices([]);
  notices.clearHeard();
  outgoing.push({ id: newTurnId(), ...turn });
}

// Waiting for it

function think() {
  if (listening) return;
  endThinking();
  view.showState("thinking");
  const stillHere = () => {
    view.showState("still-thinking");
    sounds.chime("thinking");
    thinkingTimer = setTimeout(stillHere, STILL_THERE_MS);
  };
  thinkingTimer = setTimeout(() => {
    stillHere();
    saySound("thinking");
  }, STILL_THINKING_MS);
}

function endThinking() {
  clearTimeout(thinkingTimer);
}

/** Nothing is going on: time for a notice that has been waiting. */
function rest() {
  endThinking();
  view.showState(outgoing.isStuck ? "trouble" : "ready");
  speakNextNotice();
}

// Hearing it

async function answered(turn, answer, isLast) {
  view.showHeard(turn.shownAs ?? answer.heard ?? turn.text);
  view.showChoices(answer.buttons, (button) =>
    push({ text: button.payload, shownAs: button.title }),
  );
  view.showReply(answer.reply);
  view.showPatience(answer.patience_ms);
  if (turn.noticeId !== undefined && answer.outcome === "answered") {
    notices.heard(turn.noticeId);
    notices.remove(turn.noticeId);
  }
  if (!isLast || listening) return;
  endThinking();
  const parts = answer.audio_parts.length > 0 ? answer.audio_parts : [answer.audio_url];
  if (await speak(parts.filter(Boolean), answer.reply)) notices.look();
}

/** Says sounds by their addresses, or the words with the phone's own voice when none can be had. */
async function speak(addresses, words) {
  view.showState("speaking");
  let whole = false;
  try {
    if (addresses.length === 0) whole = await sounds.sayWithPhone(words);
    else whole = await sounds.play(addresses.map((address) => () => api.sound(address)));
  } catch (trouble) {
    console.info("said with the phone's own voice:", trouble.message);
    sounds.chime("trouble");
    whole = await sounds.sayWithPhone(words);
  }
  if (view.state() === "speaking" && !listening) rest();
  return whole;
}

async function sayPhrase(code) {
  const words = view.phrase(code);
  view.showReply(words);
  sounds.chime("trouble");
  if (!(await saySound(code))) await sounds.sayWithPhone(words);
}

/** False when the sound of this phrase was never fetched or cannot be played. */
async function saySound(code) {
  const sound = phraseSounds.get(code);
  if (!sound) return false;
  await sounds.play([async () => sound], { isAnswer: false }).catch((refused) => {
    console.info("not spoken:", code, refused.message);
  });
  return true;
}

/** Fetched while all is well, because they are needed when nothing can be fetched. */
async function learnPhrases() {
  if (document.body.dataset.voiced !== "yes") return;
  for (const { dataset } of document.querySelectorAll("#phrases [data-code]")) {
    try {
      phraseSounds.set(dataset.code, await api.sound(`/api/phrases/${dataset.code}/audio`));
    } catch (trouble) {
      if (!(trouble instanceof OutOfReach)) throw trouble;
      return;
    }
  }
}

async function repeat() {
  if (listening) stopListening();
  if (!sounds.canRepeat) return push(alwaysTurn(element("repeat")));
  view.showState("speaking");
  await sounds.repeat();
  if (view.state() === "speaking") rest();
}

// Notices

function speakNextNotice() {
  if (!sounds.isAwake || view.state() !== "ready") return;
  const notice = notices.unspoken();
  if (notice) speakNotice(notice.id);
}

async function speakNotice(id) {
  const { notice } = notices.cards.get(id);
  sounds.hush();
  notices.markSpoken(id);
  notices.showSpeaking(id, true);
  const whole = await speak([`/api/notices/${id}/audio`], notice.text);
  notices.showSpeaking(id, false);
  if (whole && !notices.wantsAnswer(id)) notices.heard(id);
}

// Wiring

const alwaysTurn = (button) => ({
  text: button.dataset.payload,
  shownAs: button.textContent.trim(),
});

watchPress(element("talk"), press);
element("file").addEventListener("change", pickedFile);
element("record-file").addEventListener("click", touchedFileButton);
element("repeat").addEventListener("click", repeat);
for (const id of ["slower", "person"]) {
  element(id).addEventListener("click", ({ currentTarget }) => push(alwaysTurn(currentTarget)));
}
element("answer").addEventListener("click", () =>
  sounds.canRepeat ? repeat() : sounds.sayWithPhone(element("reply").textContent),
);
element("typing").addEventListener("submit", (event) => {
  event.preventDefault();
  const field = element("words");
  const words = field.value.trim();
  field.value = "";
  field.closest("details").open = false;
  if (words) push({ text: words, shownAs: words });
});
for (const touch of ["pointerdown", "pointerup", "touchend", "click", "keydown"]) {
  document.addEventListener(touch, () => sounds.wake(), { capture: true, passive: true });
}
document.addEventListener("visibilitychange", () => {
  // A phone takes the microphone away from a hidden page: what was said so far is sent.
  if (document.visibilityState === "hidden" && listening) sendRecording();
});
window.addEventListener("online", () => outgoing.kick());
if (!canRecord()) view.useFileRecorder();
learnPhrases();
notices.begin();
navigator.serviceWorker?.register("/sw.js");
