// A person who cannot read hears why the link does not open.

const button = document.getElementById("listen");
const audio = new Audio(button.dataset.sound);
audio.addEventListener("ended", () => (document.body.dataset.said = "yes"));
button.addEventListener("click", () => {
  audio.currentTime = 0;
  audio.play();
});
