"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const picture = document.querySelector("#picture svg");
  const slider = document.getElementById("time");
  const moment = document.getElementById("moment");
  const film = document.querySelector("video");
  if (!picture || !(data.seconds > 0)) return;
  const [left, right, bottom] = data.plot;
  const cursor = document.createElementNS("http://www.w3.org/2000/svg", "line");
  cursor.setAttribute("class", "cursor");
  cursor.setAttribute("y1", 0);
  cursor.setAttribute("y2", bottom);
  picture.append(cursor);

  const two = (n) => String(n).padStart(2, "0");
  const stamp = (t) => {
    const s = Math.floor(t), h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
    return (h ? h + ":" + two(m) : m) + ":" + two(s % 60);
  };
  const within = (list, t) => list.find(([from, to]) => t >= from && t < to);
  const signed = (n) => (n < 0 ? "\u2212" : "+") + (Math.abs(n) / 100).toFixed(2);

  function words(t) {
    const index = Math.min(Math.floor(t / data.seconds * data.columns.length), data.columns.length - 1);
    const column = data.columns[index];
    const said = [stamp(t)];
    if (column) {
      const order = data.emotions.map((name, i) => [column[i], name]).sort((a, b) => b[0] - a[0]);
      said.push(order.slice(0, 3).filter(([p]) => p > 0).map(([p, name]) => name + " " + p + " %").join(", "));
      said.push("valence " + signed(column[7]) + ", arousal " + signed(column[8]));
    } else {
      said.push("nobody found");
    }
    const mood = within(data.moods, t), track = within(data.tracks, t);
    if (mood) said.push("mood " + mood[2]);
    if (track) said.push("\u266a " + track[2]);
    return said.join(" \u00b7 ");
  }

  function show(t) {
    t = Math.min(Math.max(t, 0), data.seconds);
    const x = left + t / data.seconds * (right - left);
    cursor.setAttribute("x1", x);
    cursor.setAttribute("x2", x);
    moment.textContent = words(t);
    slider.value = t / data.seconds * slider.max;
    slider.setAttribute("aria-valuetext", moment.textContent);
  }

  const timeOf = (event) => {
    const box = picture.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width * picture.viewBox.baseVal.width;
    return (x - left) / (right - left) * data.seconds;
  };
  const seek = (t) => { if (film) film.currentTime = data.begin + Math.min(Math.max(t, 0), data.seconds); };

  picture.addEventListener("pointermove", (event) => show(timeOf(event)));
  picture.addEventListener("click", (event) => { show(timeOf(event)); seek(timeOf(event)); });
  slider.addEventListener("input", () => show(slider.value / slider.max * data.seconds));
  slider.addEventListener("change", () => seek(slider.value / slider.max * data.seconds));
  // A film at rest has been sent where the reader is.
  if (film) film.addEventListener("timeupdate", () => { if (!film.paused) show(film.currentTime - data.begin); });
  document.documentElement.classList.add("live");
  show(0);
})();
