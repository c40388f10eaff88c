"use strict";
// The pace of a recording; without this script it is played as it was said.
for (const player of document.querySelectorAll("[data-player]")) {
  const sound = player.querySelector("audio");
  const paces = player.querySelector(".paces");
  paces.hidden = false;
  sound.preservesPitch = true;
  paces.addEventListener("click", (event) => {
    const chosen = event.target.closest("[data-pace]");
    if (!chosen) return;
    const pace = Number(chosen.dataset.pace);
    // Loading a sound sets its pace back to the default one.
    sound.defaultPlaybackRate = pace;
    sound.playbackRate = pace;
    for (const one of paces.querySelectorAll("[data-pace]")) {
      one.setAttribute("aria-pressed", String(one === chosen));
    }
  });
}
