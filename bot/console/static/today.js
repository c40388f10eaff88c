// Today's page refreshes itself: what is new and grave is announced, and nobody loses the place.
"use strict";

(() => {
  const now = document.getElementById("now");
  if (!now) return;
  const announced = document.getElementById("new-alarm");
  const stale = document.getElementById("stale");
  const own = document.title;
  const alarms = () => [...now.querySelectorAll("[data-alarm]")];
  const known = new Set(alarms().map((one) => one.dataset.alarm));
  let opened = [];

  const count = () => {
    const urgent = Number(document.getElementById("as-of")?.dataset.urgent || 0);
    document.title = urgent ? `(${urgent}) ${own}` : own;
  };

  now.addEventListener("htmx:beforeSwap", () => {
    opened = [...now.querySelectorAll("details[open][id]")].map((one) => one.id);
  });

  now.addEventListener("htmx:afterSwap", () => {
    for (const id of opened) document.getElementById(id)?.setAttribute("open", "");
    const fresh = alarms().filter((one) => !known.has(one.dataset.alarm));
    if (fresh.length) {
      announced.textContent = announced.dataset.words + fresh.map((one) => one.dataset.who).join("，");
      for (const one of fresh) known.add(one.dataset.alarm);
    }
    count();
  });

  const tell = (isStale) => { stale.hidden = !isStale; };
  now.addEventListener("htmx:sendError", () => tell(true));
  now.addEventListener("htmx:responseError", () => tell(true));
  now.addEventListener("htmx:afterOnLoad", () => tell(false));
  count();
})();
