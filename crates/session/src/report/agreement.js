"use strict";
(() => {
  const film = document.querySelector("video");
  const picker = document.getElementById("recording");
  document.documentElement.classList.add("live");
  picker.addEventListener("change", () => {
    const [file] = picker.files;
    if (!file) return;
    if (film.src.startsWith("blob:")) URL.revokeObjectURL(film.src);
    film.src = URL.createObjectURL(file);
    film.hidden = false;
  });
  // A moment before the disagreement begins, so that its beginning is seen.
  const LEAD = 1;
  let stopAt = Infinity;
  film.addEventListener("timeupdate", () => {
    if (film.currentTime >= stopAt) { film.pause(); stopAt = Infinity; }
  });
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-start]");
    if (!button) return;
    if (film.hidden) { picker.focus(); return; }
    film.currentTime = Math.max(0, Number(button.dataset.start) - LEAD);
    stopAt = Number(button.dataset.end) + LEAD;
    film.play().catch(() => {});
    film.scrollIntoView({ block: "nearest" });
    document.querySelector("[aria-current]")?.removeAttribute("aria-current");
    button.setAttribute("aria-current", "true");
  });
})();
