// The little that needs a script: a form is sent once, and htmx keeps its quiet.
"use strict";

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  if (form.method === "post") form.dataset.sent = "yes";
});

// The page comes back from the browser's memory: its forms may be sent anew.
window.addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// A button that prints the page it stands on.
document.addEventListener("click", (event) => {
  if (event.target.closest("[data-print]")) window.print();
});
