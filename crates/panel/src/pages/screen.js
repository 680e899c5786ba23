"use strict";
(() => {
  // Longer than two heartbeats of the server and a moment.
  const SILENCE = 7000;
  const title = document.getElementById("title"), artist = document.getElementById("artist");
  let source = null, heard = 0, pause = 500, timer = 0;

  const set = (element, text) => { if (element.textContent !== text) element.textContent = text; };

  function show({ title: name, artist: by }) {
    set(title, name);
    set(artist, by);
  }

  function open() {
    clearTimeout(timer);
    if (source) source.close();
    heard = Date.now();
    source = new EventSource("events");
    const hear = () => { heard = Date.now(); pause = 500; };
    source.addEventListener("screen", (event) => { hear(); show(JSON.parse(event.data)); });
    source.addEventListener("time", hear);
    source.onerror = lose;
  }

  // What played when the connection was lost may have ended, so nothing is shown.
  function lose() {
    if (source) source.close();
    source = null;
    show({ title: "", artist: "" });
    clearTimeout(timer);
    timer = setTimeout(open, pause);
    pause = Math.min(pause * 2, 8000);
  }

  setInterval(() => { if (source && Date.now() - heard > SILENCE) lose(); }, 1000);
  addEventListener("online", open);
  open();
})();
