// The film: files beside the page, or those that the reader picks, as one over the time of the session.

function makeFilm(data, onTime) {
  const video = document.querySelector("video");
  const state = document.getElementById("film-state");
  const pick = document.querySelector(".pick");
  const picker = document.getElementById("recording");
  // Of each file the address, and the stream time at its beginning.
  let films = data.films.slice(), current = films.length ? 0 : -1, isPicked = false, onReady = () => {};
  // Whether the film is being sent somewhere by the page, not by its own controls.
  let isSent = false;
  const cues = video.addTextTrack("captions", "Expressions, from facial expression", "en");

  // The subtitles: they are part of the page, because browsers load no subtitle file beside a page that is a file.
  function setCues() {
    const shift = data.begin - films[current][1];
    for (const cue of [...(cues.cues || [])]) cues.removeCue(cue);
    const add = (from, to, text) => {
      if (to + shift > 0) cues.addCue(new VTTCue(Math.max(from + shift, 0), to + shift, text));
    };
    // Beside labels in the film that are no longer right, neutral says something, too.
    for (const [from, to, label] of data.episodes) if (label !== "neutral" || data.outdated) add(from, to, label);
    for (const [at, text] of data.marks) add(at, at + 2, "[" + text + "]");
    cues.mode = isPicked || data.outdated ? "showing" : "hidden";
  }

  function open(index, then) {
    const plays = !video.paused && !video.ended;
    current = index;
    if (video.getAttribute("src") !== films[index][0]) video.src = films[index][0];
    video.hidden = false;
    setCues();
    const ready = () => {
      then();
      if (plays) video.play().catch(() => {});
    };
    if (video.readyState >= 1) ready();
    else video.addEventListener("loadedmetadata", ready, { once: true });
  }

  // Goes to a time of the session; false without a film.
  function seek(t) {
    if (current < 0 || video.hidden) return false;
    const at = data.begin + t;
    let index = films.findLastIndex(([, start]) => start <= at);
    if (index < 0) index = 0;
    const go = () => {
      isSent = true;
      video.currentTime = Math.max(at - films[index][1], 0);
    };
    if (index === current && video.readyState >= 1) go();
    else open(index, go);
    return true;
  }

  const time = () => films[current][1] + video.currentTime - data.begin;
  video.addEventListener("timeupdate", () => {
    // A film at rest has been sent where the reader is.
    if (current >= 0 && !video.paused) onTime(time());
  });
  video.addEventListener("seeked", () => {
    if (current >= 0 && !isSent) onTime(time());
    // While one key press follows the other, it is being sent on.
    if (!video.seeking) isSent = false;
  });
  video.addEventListener("ended", () => {
    if (current >= 0 && current + 1 < films.length) open(current + 1, () => video.play().catch(() => {}));
  });
  const tell = (text) => {
    state.textContent = text;
    state.hidden = !text;
  };
  video.addEventListener("loadedmetadata", () => {
    const missing = data.begin + data.seconds - films[films.length - 1][1] - video.duration;
    const isShort = isPicked && current === films.length - 1 && missing > Math.max(2, data.seconds / 20);
    tell(isShort ? "This file is shorter than the session: is it the right recording?" : "");
    pick.hidden = !isShort;
    pick.parentElement.classList.toggle("filled", !isShort);
    onReady();
  });
  video.addEventListener("error", () => {
    tell(isPicked ? "This browser cannot play that file; gst-mood process --overlay makes a film that it can play."
      : "The film is not beside this page.");
    video.hidden = true;
    pick.hidden = false;
    pick.parentElement.classList.remove("filled");
  });
  picker.addEventListener("change", () => {
    const files = [...picker.files].sort((one, other) => one.name.localeCompare(other.name, "en", { numeric: true }));
    if (!files.length) return;
    if (isPicked) for (const [address] of films) URL.revokeObjectURL(address);
    const starts = data.films.length ? data.films.map(([, start]) => start) : [0];
    films = files.slice(0, starts.length).map((file, index) => [URL.createObjectURL(file), starts[index]]);
    isPicked = true;
    open(0, () => onTime(time()));
  });
  if (current >= 0) {
    setCues();
    if (video.error) video.dispatchEvent(new Event("error"));
  }

  // Draws faces ([id, time, place]) from the film, one after the other, without moving what is shown.
  async function drawFaces(faces, canvasOf) {
    const reader = document.createElement("video");
    reader.muted = true;
    reader.preload = "auto";
    const until = (event) => new Promise((done, fail) => {
      reader.addEventListener(event, done, { once: true });
      reader.addEventListener("error", fail, { once: true });
    });
    for (const [id, t, [x, y, w, h]] of faces) {
      const canvas = canvasOf(id), at = data.begin + t;
      if (!canvas) continue;
      const index = Math.max(films.findLastIndex(([, start]) => start <= at), 0);
      if (reader.getAttribute("src") !== films[index][0]) {
        reader.src = films[index][0];
        await until("loadeddata");
      }
      const sought = until("seeked");
      reader.currentTime = Math.max(at - films[index][1], 0) + 0.001;
      await sought;
      const [width, height] = [reader.videoWidth, reader.videoHeight];
      const side = Math.max(w * width, h * height) * 1.4;
      const [left, top] = [(x + w / 2) * width - side / 2, (y + h / 2) * height - side / 2];
      canvas.getContext("2d").drawImage(reader, left, top, side, side, 0, 0, canvas.width, canvas.height);
      canvas.hidden = false;
    }
    reader.removeAttribute("src");
  }

  return { seek, drawFaces, whenReady: (call) => { onReady = call; if (video.readyState >= 1) call(); } };
}
