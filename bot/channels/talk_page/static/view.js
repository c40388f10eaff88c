// What the page shows. The words themselves stand in the HTML.

const part = (id) => document.getElementById(id);
const YES = /^(\/(affirm$|accept|confirm)|(是|对|好|行|接|要|中|知道)(的|了|，|$))/;
const NO = /^(\/(deny|decline)|不|没|别)/;

export function token() {
  return location.pathname.split("/")[2];
}

/** How many milliseconds of quiet end what this person says. */
export function patience() {
  return Number(document.body.dataset.patience);
}

export function showPatience(milliseconds) {
  if (milliseconds) document.body.dataset.patience = milliseconds;
}

/** ready, opening (the microphone), listening, thinking, still-thinking, speaking or trouble. */
export function showState(state) {
  document.body.dataset.state = state;
}

export function state() {
  return document.body.dataset.state;
}

export function phrase(code) {
  return document.querySelector(`#phrases [data-code="${code}"]`)?.textContent ?? "";
}

export function showHeard(words) {
  part("heard").hidden = !words;
  part("heard-words").textContent = words;
}

export function showReply(words) {
  part("reply").textContent = words;
  const [whole, reply] = [part("answer").parentElement, part("answer")];
  const room = whole.closest(".words").clientHeight;
  // The answer comes first where both do not fit, and its beginning where it alone does not.
  if (whole.offsetHeight <= room) whole.scrollIntoView({ block: "nearest" });
  else reply.scrollIntoView({ block: reply.offsetHeight <= room ? "end" : "start" });
}

export function showLevel(level) {
  part("ring").style.setProperty("--level", level.toFixed(2));
}

/** Two big buttons under the answer, or none. */
export function showChoices(buttons, choose) {
  const place = part("choices");
  fillChoices(place, buttons, choose);
  document.body.classList.toggle("asks", !place.hidden);
}

export function fillChoices(place, buttons, choose) {
  place.replaceChildren(...buttons.slice(0, 2).map((button) => choiceButton(button, choose)));
  place.hidden = buttons.length === 0;
}

function choiceButton(button, choose) {
  const element = document.createElement("button");
  element.type = "button";
  element.className = "choice";
  const sign = signOf(button);
  if (sign) {
    element.classList.add(sign === "check" ? "yes" : "no");
    element.append(part(sign).content.cloneNode(true));
  }
  element.append(Object.assign(document.createElement("span"), { textContent: button.title }));
  element.addEventListener("click", () => choose(button));
  return element;
}

/** A tick or a cross speaks to those who cannot read; two other choices get neither. */
function signOf({ title, payload }) {
  for (const words of [payload, title]) {
    if (NO.test(words)) return "cross";
    if (YES.test(words)) return "check";
  }
  return null;
}

/** Where the browser gives no microphone the round button becomes a field for the phone's own. */
export function useFileRecorder() {
  part("talk").hidden = true;
  part("record-file").hidden = false;
}
