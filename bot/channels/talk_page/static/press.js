// One button for every hand: press and hold while speaking, or tap to start and tap to stop.

const TAP_MS = 350;

/** `on`: down(), tap(), held() when a long press ends, lost() when the system took the touch. */
export function watchPress(button, on) {
  let pressedAt = null;

  const letGo = (event, how) => {
    if (pressedAt === null) return;
    const length = event.timeStamp - pressedAt;
    pressedAt = null;
    if (how === "lost") on.lost();
    else if (length < TAP_MS) on.tap();
    else on.held();
  };

  button.addEventListener("pointerdown", (event) => {
    if (pressedAt !== null || event.button !== 0) return;
    pressedAt = event.timeStamp;
    // A finger that slides off the button is still the same press.
    button.setPointerCapture(event.pointerId);
    on.down();
  });
  button.addEventListener("pointerup", (event) => letGo(event, "up"));
  button.addEventListener("pointercancel", (event) => letGo(event, "lost"));
  button.addEventListener("contextmenu", (event) => event.preventDefault());
  // Keyboards and screen readers only click.
  button.addEventListener("click", (event) => {
    if (event.detail !== 0) return;
    on.down();
    on.tap();
  });
}
