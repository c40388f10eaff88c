// Lets the page be installed and its shell be opened without a network. Only files that are the
// same for everybody are kept: never a page, an answer or a recording of a person.

const SHELF = "xiaobang-shell-1";
const SHELL = ["/static/offline.html", "/static/look.css", "/static/village.svg"];

self.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(SHELF)
      .then((shelf) => shelf.addAll(SHELL))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) =>
        Promise.all(names.filter((name) => name !== SHELF).map((name) => caches.delete(name))),
      )
      .then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const { pathname, origin } = new URL(event.request.url);
  if (origin !== self.location.origin) return;
  if (event.request.mode === "navigate" && pathname.startsWith("/t/")) {
    event.respondWith(
      fetch(event.request).catch(() => caches.match("/static/offline.html")),
    );
  } else if (SHELL.includes(pathname)) {
    event.respondWith(fetch(event.request).catch(() => caches.match(pathname)));
  }
});
