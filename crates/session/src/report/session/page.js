// Connects film, chart, tables and keys.

(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const record = makeRecord(data);
  const picture = document.getElementById("picture");
  const slider = document.getElementById("time");
  const moment = document.getElementById("moment");
  let now = 0;
  document.documentElement.classList.add("live");

  function say(t) {
    moment.replaceChildren(...record.words(t).map((words, index) => {
      const line = document.createElement(index ? "span" : "b");
      line.textContent = words;
      return line;
    }));
  }

  const hasChart = picture && data.seconds > 0;
  const plot = hasChart ? makePlot(data, record, picture, slider, (t) => say(t === null ? now : t), go) : null;
  const film = makeFilm(data, (t) => setNow(t));

  function setNow(t) {
    now = Math.min(Math.max(t, 0), data.seconds);
    if (!plot) return;
    plot.setNow(now, true);
    say(now);
    slider.value = now;
    slider.setAttribute("aria-valuetext", record.words(now).join(" \u00b7 "));
  }

  function go(t) {
    setNow(t);
    film.seek(now);
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-at]");
    if (!button) return;
    document.querySelector("tr[aria-current]")?.removeAttribute("aria-current");
    button.closest("tr").setAttribute("aria-current", "true");
    go(Number(button.dataset.at));
  });

  if (plot) {
    slider.addEventListener("input", () => setNow(Number(slider.value)));
    slider.addEventListener("change", () => film.seek(now));
    const zooms = { in: () => plot.zoom(0.5), out: () => plot.zoom(2), back: () => plot.pan(-0.5), on: () => plot.pan(0.5), all: plot.all };
    for (const button of document.querySelectorAll("[data-zoom]")) button.addEventListener("click", zooms[button.dataset.zoom]);
    slider.addEventListener("keydown", (event) => {
      const action = { "+": zooms.in, "-": zooms.out, 0: zooms.all }[event.key];
      if (!action) return;
      event.preventDefault();
      action();
    });
    setNow(0);
  }

  // Long tables are folded; on paper all rows are there.
  for (const fold of document.querySelectorAll(".fold")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "more";
    const set = (open) => {
      fold.classList.toggle("open", open);
      button.setAttribute("aria-expanded", open);
      button.textContent = open ? "Show fewer" : "Show all " + fold.dataset.rows;
    };
    button.addEventListener("click", () => set(!fold.classList.contains("open")));
    set(false);
    fold.append(button);
  }

  const faces = document.getElementById("faces");
  if (faces) {
    film.whenReady(() => { faces.hidden = false; });
    faces.addEventListener("click", () => {
      faces.disabled = true;
      film.drawFaces(data.faces, (id) => document.querySelector("canvas[data-person='" + id + "']"))
        .catch(() => {})
        .finally(() => { faces.hidden = true; });
    });
  }
})();
