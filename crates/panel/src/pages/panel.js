"use strict";
(() => {
  const constants = JSON.parse(document.getElementById("constants").textContent);
  const { colours, emotions, seconds: SHOWN } = constants;
  const NAMES = emotions.map((emotion) => emotion.name);
  // From bottom to top, as in the report.
  const STACK = ["neutral", "happy", "surprise", "sad", "fear", "angry", "disgust"];
  // Longer than two heartbeats of the server and a moment; and the longest pause between attempts to connect. Milliseconds.
  const SILENCE = 7000, LONGEST_PAUSE = 8000;
  const STRATEGIES = {
    match: ["Match", "Plays what fits the mood."],
    target: ["Target", "Plays the target, whatever the mood."],
    iso: ["Iso", "Starts at the mood and steps towards the target."],
    hold: ["Keep", "Keeps what fitted the first mood."],
  };
  const LIMITS = [0, 60, 120, 300, 600, 900, 1800];

  const get = (id) => document.getElementById(id);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const set = (id, text) => { if (get(id).textContent !== text) get(id).textContent = text; };
  const press = (button, is) => button.setAttribute("aria-pressed", String(is));
  const percent = (share) => Math.round(100 * share) + " %";
  const signed = (n) => (n < 0 ? "\u2212" : "+") + Math.abs(n).toFixed(2);
  const clamp = (n, low, high) => Math.min(Math.max(n, low), high);
  const two = (n) => String(n).padStart(2, "0");
  const stamp = (t) => {
    const s = Math.max(0, Math.floor(t)), h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
    return (h ? h + ":" + two(m) : m) + ":" + two(s % 60);
  };
  const element = (name, parent, text) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  };
  const svg = (name, attributes, parent, text) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    parent.append(made);
    return made;
  };

  /// The latest state; `null` before the first.
  let state = null;
  /// The time of the session, seconds, when the page had been open for `received` ms.
  let time = 0, received = 0;
  let faces = [], columns = [], spans = [];
  /// Whether the connection stands.
  let linked = false;
  /// A target that a finger is choosing, or a path that has not begun; [valence, arousal].
  let chosen = null, previewing = false;

  /// Seconds since the session began.
  const now = () => time + (performance.now() - received) / 1000;

  // Commands.

  async function send(command) {
    if (!linked) {
      notify("Not sent: there is no connection.");
      return false;
    }
    try {
      const response = await fetch("command", {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(command),
        signal: AbortSignal.timeout(5000),
      });
      if (!response.ok) notify(await response.text());
      return response.ok;
    } catch {
      notify("Not sent: there is no connection.");
      return false;
    }
  }

  let noticeTimer = 0;
  function notify(text) {
    const notice = get("notice");
    notice.textContent = text;
    notice.hidden = false;
    clearTimeout(noticeTimer);
    noticeTimer = setTimeout(() => { notice.hidden = true; }, 6000);
  }

  const onTrack = (command) => { if (state && state.track) send({ ...command, track: state.track.number }); };
  const actions = {
    play: () => send({ command: state && state.status === "playing" ? "pause" : "play" }),
    stop: () => send({ command: "stop" }),
    skip: () => onTrack({ command: "skip" }),
    previous: () => onTrack({ command: "previous" }),
    like: () => onTrack({ command: "like" }),
    dislike: () => onTrack({ command: "dislike" }),
    exclude: () => onTrack({ command: "exclude" }),
    hold: () => state && send({ command: "hold", on: !state.is_held }),
    undo: () => send({ command: "undo" }),
    note: () => get("note").focus(),
    help: () => openDialog("keyboard"),
    louder: () => changeVolume(5),
    softer: () => changeVolume(-5),
  };

  function changeVolume(by) {
    get("volume").value = clamp(Number(get("volume").value) + by, 0, 100);
    sendVolume();
  }

  let volumeTimer = 0;
  function sendVolume() {
    set("volume-text", get("volume").value + " %");
    clearTimeout(volumeTimer);
    volumeTimer = setTimeout(() => {
      volumeTimer = 0;
      send({ command: "volume", volume: Number(get("volume").value) / 100 });
    }, 80);
  }

  // Markers. A text counts for the moment at which its first letter was written.

  let noteBegan = 0;
  async function mark(text, ago) {
    text = text.trim();
    return text !== "" && await send({ command: "mark", text: text.slice(0, constants.characters), ago });
  }
  async function markNote() {
    const ago = noteBegan ? Math.min((performance.now() - noteBegan) / 1000, 600) : 0;
    if (await mark(get("note").value, ago)) {
      get("note").value = "";
      noteBegan = 0;
    }
  }

  // Target and path.

  const target = () => chosen || (state ? [state.target.valence, state.target.arousal] : [0, 0]);

  function chooseTarget(point, isFinal) {
    chosen = point.map((coordinate) => clamp(Math.round(coordinate * 20) / 20, -1, 1));
    drawPlane();
    if (isFinal && !previewing) sendTarget();
  }

  async function sendTarget() {
    const [valence, arousal] = chosen;
    await send({ command: "target", valence, arousal });
    chosen = null;
    drawPlane();
  }

  function chooseStrategy(strategy) {
    if (strategy === "iso" && state && state.strategy !== "iso") {
      previewing = true;
      chosen = target();
      drawPlane();
      get("begin").focus();
      return;
    }
    endPreview();
    send({ command: "strategy", strategy });
  }

  async function begin() {
    const point = chosen;
    endPreview();
    document.querySelector("#strategies [data-strategy=iso]").focus();
    await send({ command: "strategy", strategy: "iso", target: point });
  }

  function endPreview() {
    previewing = false;
    chosen = null;
    drawPlane();
  }

  /// Where the way to the target begins: where the music is, or else the mood.
  function origin() {
    if (state.requested) return [state.requested.valence, state.requested.arousal];
    const emotion = emotions.find(({ name }) => name === state.mood.mood);
    return emotion ? [emotion.valence, emotion.arousal] : [0, 0];
  }

  /// The steps from `from` to `to`, without the first point.
  function steps(from, to, length) {
    const points = [], distance = Math.hypot(to[0] - from[0], to[1] - from[1]);
    for (let n = 1; length > 0 && n * length < distance && n < 100; n++) {
      const share = n * length / distance;
      points.push(from.map((start, axis) => start + (to[axis] - start) * share));
    }
    return distance > 0 ? [...points, to] : points;
  }

  function drawPlane() {
    if (!state) return;
    const end = target(), from = origin();
    const shows = previewing || state.strategy === "iso";
    const way = shows ? steps(from, end, state.step_length) : [];
    get("now-point").setAttribute("transform", `translate(${from[0]} ${-from[1]})`);
    get("target-point").setAttribute("transform", `translate(${end[0]} ${-end[1]})`);
    get("path").setAttribute("d", way.length ? "M" + [from, ...way].map(([x, y]) => `${x} ${-y}`).join("L") : "M0 0");
    get("steps").replaceChildren();
    for (const [x, y] of way.slice(0, -1)) svg("circle", { cx: x, cy: -y }, get("steps"));
    get("plane").setAttribute("aria-label",
      `Target: valence ${signed(end[0])}, arousal ${signed(end[1])}. Music now: ${signed(from[0])}, ${signed(from[1])}.`);
    for (const [id, axis] of [["valence", 0], ["arousal", 1]]) {
      if (document.activeElement !== get(id) || chosen === null) get(id).value = end[axis];
    }
    get("begin-row").hidden = !previewing;
    const count = way.length;
    set("path-text", !shows ? "" : count === 0 ? "The music is at the target." :
      `${count} ${count === 1 ? "step" : "steps"} to the target, each ${Math.round(state.step_seconds)} s or more: at least ${stamp(count * state.step_seconds)}.`);
    for (const button of all("#strategies button")) {
      press(button, button.dataset.strategy === (previewing ? "iso" : state.strategy));
    }
    set("strategy-text", previewing ? "Touch the target, then begin." : (STRATEGIES[state.strategy] || ["", ""])[1]);
  }

  // The state.

  const spoken = { mood: "", track: "" };

  function render() {
    const { track, mood, next } = state;
    document.documentElement.dataset.status = state.status;
    set("status", { playing: "Live", paused: "Paused", stopped: "Stopped", ended: "Session ended" }[state.status]);
    set("recording", state.recording || "");
    set("mood", mood.mood);
    get("mood-colour").style.background = colours[mood.mood];
    const sure = mood.manual ? 1 : mood.confidence || 0;
    set("sure", mood.manual ? "by hand" : mood.confidence === null ? "" : percent(sure) + " sure");
    get("sure-bar").style.width = percent(sure).replace(" ", "");
    set("held", state.held_back || "");

    set("track", track ? track.title : "silence");
    set("artist", track ? track.artist : "");
    set("why", track ? track.reason : "nothing plays");
    set("next", next ? next.title : "not known yet");
    set("next-why", next ? next.reason : "");
    const playing = state.status === "playing";
    set("play-text", playing ? "Pause" : "Play");
    get("play-icon").setAttribute("d", playing ? "M8 5v14M16 5v14" : "M7 4l13 8-13 8z");
    press(get("like"), track && track.rating > 0);
    press(get("dislike"), track && track.rating < 0);
    press(get("hold"), state.is_held);
    press(get("screen"), state.shows_title_on_screen);
    if (!volumeTimer && document.activeElement !== get("volume")) {
      get("volume").value = Math.round(100 * state.volume);
      set("volume-text", percent(state.volume));
    }

    for (const button of all("[data-subject]")) press(button, button.dataset.subject === state.subject);
    press(get("show-picture"), state.shows_picture);
    get("picture").hidden = !state.shows_picture;
    if (!state.shows_picture) get("picture").removeAttribute("src");
    if (state.aspect_ratio > 0) get("stage").style.setProperty("--ratio", String(state.aspect_ratio));
    for (const button of all("#moods button")) press(button, button.dataset.mood === (mood.manual || ""));
    if (!get("strategies").children.length) {
      for (const name of state.strategies) {
        const button = element("button", get("strategies"), (STRATEGIES[name] || [name])[0]);
        button.dataset.strategy = name;
        button.addEventListener("click", () => chooseStrategy(name));
      }
    }
    renderLimit();
    renderMarkers();
    set("undo", state.undo ? "Undo: " + state.undo : "Undo");
    enable();
    drawPlane();
    tick();
    const moodText = `${mood.mood}, ${get("sure").textContent}`;
    const trackText = track ? `plays ${track.title}` : "silence";
    if (spoken.mood !== mood.mood || spoken.track !== trackText) {
      [spoken.mood, spoken.track] = [mood.mood, trackText];
      set("spoken", `Mood ${moodText}; ${trackText}.`);
    }
    if (state.notice && state.notice.number !== noticed) {
      if (noticed !== null) notify(state.notice.text);
    }
    noticed = state.notice ? state.notice.number : 0;
  }
  let noticed = null;

  /// Buttons do something only where there is something to do.
  function enable() {
    const track = state && state.track, off = !linked || !state;
    const disabled = {
      undo: off || !state.undo,
      play: off, stop: off || !["playing", "paused"].includes(state.status), hold: off, mark: off, edit: off, begin: off,
      skip: off || !track, previous: off || !track || !track.has_previous,
      like: off || !track, dislike: off || !track, exclude: off || !track,
      volume: off, valence: off, arousal: off, limit: off, screen: off, "show-picture": off,
    };
    for (const [id, is] of Object.entries(disabled)) if (get(id).disabled !== is) get(id).disabled = is;
    for (const button of all("#strategies button, #moods button, #keys button, [data-subject]")) {
      if (button.disabled !== off) button.disabled = off;
    }
  }

  function renderLimit() {
    const options = [...new Set([...LIMITS, state.negative_limit])].sort((a, b) => a - b);
    const select = get("limit");
    if (select.dataset.options !== options.join()) {
      select.dataset.options = options.join();
      select.replaceChildren();
      for (const seconds of options) element("option", select, seconds ? stamp(seconds) + " min" : "never").value = seconds;
    }
    if (document.activeElement !== select || select.dataset.shown !== String(state.negative_limit)) {
      select.value = state.negative_limit;
      select.dataset.shown = state.negative_limit;
    }
  }

  function renderMarkers() {
    const keys = get("keys");
    const texts = state.marker_keys.slice(0, constants.keys);
    if (keys.dataset.texts !== JSON.stringify(texts)) {
      keys.dataset.texts = JSON.stringify(texts);
      keys.replaceChildren();
      texts.forEach((text, index) => {
        if (!text) return;
        const button = element("button", keys);
        element("kbd", button, String(index + 1));
        element("span", button, text);
        button.addEventListener("click", () => mark(text, 0));
      });
    }
    const list = get("list"), latest = state.markers.slice(-12).reverse();
    const signature = JSON.stringify(latest);
    if (list.dataset.shown !== signature) {
      list.dataset.shown = signature;
      list.replaceChildren();
      for (const { time, text } of latest) {
        const item = element("li", list, stamp(time) + " ");
        element("b", item, text);
      }
      // A list that scrolls is reached with the keyboard.
      if (latest.length) list.tabIndex = 0; else list.removeAttribute("tabindex");
    }
  }

  /// What changes with time alone.
  function tick() {
    if (!state || !linked) return;
    const time = now(), { track } = state;
    set("clock", stamp(time));
    const isPlaying = state.status === "playing";
    const played = track ? clamp(time - track.started_at, 0, track.duration || Infinity) : 0;
    if (isPlaying || !track) set("position", track ? stamp(played) : "");
    set("duration", track && track.duration ? stamp(track.duration) : "");
    if (isPlaying || !track) get("position-bar").style.width = track && track.duration ? 100 * played / track.duration + "%" : "0";
    const wait = state.switch_allowed_at === null ? 0 : Math.ceil(state.switch_allowed_at - time);
    set("switch", !isPlaying ? "" : state.is_held ? "The music is held." : wait > 0 ? `May change in ${stamp(wait)}` : "May change now");
    const negative = state.negative_since;
    set("negative", negative === null ? "" :
      `Negative for ${stamp(time - negative)}` + (state.negative_limit ? ` of ${stamp(state.negative_limit)}` : ""));
  }

  // Faces.

  function renderFaces() {
    const stage = get("stage");
    get("nobody").hidden = faces.length > 0;
    const present = new Set(faces.map((face) => String(face.id)));
    for (const button of all(".face")) if (!present.has(button.dataset.face)) button.remove();
    const { width, height } = stage.getBoundingClientRect();
    for (const face of faces) {
      let button = stage.querySelector(`[data-face="${face.id}"]`);
      if (!button) {
        button = element("button", stage);
        button.className = "face";
        button.dataset.face = face.id;
        element("i", button);
        element("b", button);
        button.addEventListener("click", () => send({ command: "subject", subject: "id:" + button.dataset.face }));
      }
      // The button is large enough for a finger, however small the face.
      const [x, y, w, h] = face.box.map((share, index) => share * (index % 2 ? height : width));
      const [wide, high] = [Math.max(w, 48), Math.max(h, 48)];
      const left = clamp(x + w / 2 - wide / 2, 0, Math.max(width - wide, 0));
      const top = clamp(y + h / 2 - high / 2, 0, Math.max(height - high, 0));
      Object.assign(button.style, { left: left + "px", top: top + "px", width: wide + "px", height: high + "px" });
      Object.assign(button.firstChild.style, { left: x - left + "px", top: y - top + "px", width: w + "px", height: h + "px" });
      button.classList.toggle("followed", face.is_followed);
      press(button, state && state.subject === "id:" + face.id);
      const words = face.label ? face.label + (face.label === "uncertain" ? "" : " " + percent(face.confidence)) : "face";
      const caption = button.lastChild, short = face.is_followed ? words : face.label || "face";
      if (caption.textContent !== short) caption.textContent = short;
      const half = caption.offsetWidth / 2;
      caption.style.left = clamp(x + w / 2, half, Math.max(width - half, half)) - left + "px";
      // Below the face, or in it where there is no room.
      const below = y + h + 2 + caption.offsetHeight <= height;
      caption.style.top = y - top + h + (below ? 2 : -caption.offsetHeight - 2) + "px";
      button.setAttribute("aria-label", `Face ${face.id}, ${words}${face.is_followed ? ", followed" : ""}`);
      button.disabled = !linked;
    }
  }

  // The chart, as in the report: probabilities, valence and arousal, then the lanes.

  let drawing = null;

  function drawChart() {
    const box = get("chart");
    const width = Math.max(box.clientWidth, 200);
    // Lengths follow the size of the text.
    const unit = parseFloat(getComputedStyle(document.documentElement).fontSize) / 16;
    const LEFT = 54 * unit, RIGHT = 8, LANE = 24 * unit;
    if (!drawing) drawing = svg("svg", { role: "img" }, box);
    const height = drawing.clientHeight || 220;
    drawing.setAttribute("viewBox", `0 0 ${width} ${height}`);
    drawing.replaceChildren();
    // The axis grows by the minute until it has its full length.
    const shown = clamp(Math.ceil(now() / 60) * 60, 120, SHOWN);
    const end = now(), start = end - shown;
    const x = (time) => LEFT + clamp((time - start) / shown, 0, 1) * (width - LEFT - RIGHT);
    const lanes = height - 3 * LANE - 18 * unit;
    const stackBottom = Math.round(lanes * 0.58), affectTop = stackBottom + 10 * unit, affectBottom = lanes - 6;
    const share = (value) => 4 + (1 - value) * (stackBottom - 4);
    const affect = (value) => affectTop + (1 - value) / 2 * (affectBottom - affectTop);
    const label = (y, text) => svg("text", { x: LEFT - 6, y: y + 4, "text-anchor": "end" }, drawing, text);
    const grid = (y) => svg("path", { d: `M${LEFT} ${y}H${width - RIGHT}`, class: "grid" }, drawing);
    for (const [value, text] of [[0, "0 %"], [1, "100 %"]]) { grid(share(value)); label(share(value) + (value ? 6 : -5) * unit, text); }
    for (const run of runs()) {
      let lower = run.map(() => 0);
      for (const name of STACK) {
        const index = NAMES.indexOf(name);
        const upper = run.map((column, n) => lower[n] + column.values[index]);
        const edge = (heights) => run.map((column, n) => `${x(column.second + 0.5).toFixed(1)} ${share(heights[n]).toFixed(1)}`);
        svg("path", { d: "M" + [...edge(upper), ...edge(lower).reverse()].join("L") + "z", fill: colours[name] }, drawing);
        lower = upper;
      }
    }
    for (const [value, text] of [[-1, "\u22121"], [0, "0"], [1, "+1"]]) { grid(affect(value)); label(affect(value), text); }
    for (const run of runs()) {
      for (const [index, name] of [[7, "v"], [8, "a"]]) {
        const points = run.map((column) => `${x(column.second + 0.5).toFixed(1)} ${affect(column.values[index]).toFixed(1)}`);
        svg("path", { d: "M" + points.join("L"), class: name }, drawing);
      }
    }
    [["mood", "mood"], ["track", "music"]].forEach(([kind, name], row) => {
      const top = lanes + row * LANE;
      label(top + LANE / 2, name);
      const bars = spans.filter((span) => span.kind === kind);
      bars.forEach((span, index) => {
        const until = index + 1 < bars.length ? bars[index + 1].start : end;
        const [from, to] = [x(span.start), x(until)];
        if (!span.text || until < start || to - from < 1) return;
        svg("rect", { x: from, y: top + 1, width: to - from, height: LANE - 3, fill: colours[span.mood], class: "lane" }, drawing);
        const letters = Math.floor((to - from - 10) / (8.5 * unit));
        if (letters >= 4) {
          const text = span.text.length > letters ? span.text.slice(0, letters - 1) + "\u2026" : span.text;
          svg("text", { x: from + 5, y: top + LANE / 2 + 4, class: isBright(colours[span.mood]) ? "dark" : "bright" }, drawing, text);
        }
      });
    });
    label(lanes + 2.5 * LANE, "marks");
    // The latest first: a text stands right of its mark, the latest one left of it where there is no room; others are left out.
    let limit = width - RIGHT;
    for (const { time, text } of state ? state.markers.filter((marker) => marker.time >= start).reverse() : []) {
      const at = x(time), short = text.length > 24 ? text.slice(0, 23) + "\u2026" : text;
      svg("path", { d: `M${at} 2V${lanes + 3 * LANE - 3}`, class: "mark" }, drawing);
      const length = 7.5 * unit * short.length + 8, y = lanes + 2.5 * LANE + 4;
      if (at + length <= limit) {
        svg("text", { x: at + 4, y }, drawing, short);
      } else if (limit === width - RIGHT) {
        svg("text", { x: at - 4, y, "text-anchor": "end" }, drawing, short);
        limit = at - length;
        continue;
      }
      limit = Math.min(limit, at);
    }
    const axis = lanes + 3 * LANE;
    svg("path", { d: `M${LEFT} ${axis}H${width - RIGHT}`, class: "grid" }, drawing);
    const step = (shown > 300 ? 2 : 1) * (width < 520 * unit ? 2 : 1);
    for (let minutes = 0; minutes * 60 <= shown; minutes += step) {
      const anchor = minutes === 0 ? "end" : minutes * 60 === shown ? "start" : "middle";
      svg("text", { x: x(end - minutes * 60), y: height - 2, "text-anchor": anchor }, drawing, minutes ? `\u2212${minutes} min` : "now");
    }
    const last = columns.length ? columns[columns.length - 1].values : null;
    const order = last ? NAMES.map((name, index) => [last[index], name]).sort((a, b) => b[0] - a[0]).slice(0, 3) : [];
    drawing.setAttribute("aria-label", "Expressions, mood, music and markers of the last ten minutes. Now: " +
      (last ? order.map(([p, name]) => `${name} ${percent(p)}`).join(", ") + `, valence ${signed(last[7])}, arousal ${signed(last[8])}.` : "nobody to be seen."));
  }

  /// Columns without a gap; a single one is too narrow to draw.
  function runs() {
    const found = [];
    let run = [];
    for (const column of columns) {
      if (column.values && (!run.length || run[run.length - 1].second + 1 === column.second)) {
        run.push(column);
      } else {
        found.push(run);
        run = column.values ? [column] : [];
      }
    }
    return [...found, run].filter((one) => one.length > 1);
  }

  function isBright(colour) {
    const [r, g, b] = [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
    return 0.3 * r + 0.59 * g + 0.11 * b > 120;
  }

  // The connection.

  let source = null, heard = 0, pause = 500, retry = 0, lostAt = 0;

  function connect() {
    clearTimeout(retry);
    if (source) source.close();
    heard = performance.now();
    source = new EventSource("events");
    const on = (name, handle) => source.addEventListener(name, (event) => {
      hear();
      handle(JSON.parse(event.data));
    });
    on("time", (value) => { [time, received] = [value, performance.now()]; });
    on("state", (value) => { state = value; render(); });
    on("faces", (value) => { faces = value; renderFaces(); });
    on("spans", (value) => { spans = value; drawChart(); });
    on("columns", (value) => {
      const known = columns.length ? columns[columns.length - 1].second : -1;
      columns = [...columns, ...value.filter((column) => column.second > known)].slice(-SHOWN);
      drawChart();
    });
    on("picture", (number) => { if (state && state.shows_picture) get("picture").src = "picture?" + number; });
    source.onerror = lose;
  }

  function hear() {
    heard = performance.now();
    pause = 500;
    if (linked) return;
    linked = true;
    document.documentElement.dataset.link = "up";
    get("link").hidden = true;
    enable();
    renderFaces();
  }

  function lose() {
    if (source) source.close();
    source = null;
    // The server has gone with the session.
    if (state && state.status === "ended") {
      linked = false;
      enable();
      renderFaces();
      return;
    }
    if (linked || !lostAt) lostAt = Date.now();
    linked = false;
    document.documentElement.dataset.link = "lost";
    set("status", "No connection");
    get("link").hidden = false;
    set("link", state ? `No connection since ${new Date(lostAt).toLocaleTimeString()}. The last state is shown; the music goes on. Trying again.` : "No connection. Trying again.");
    enable();
    renderFaces();
    clearTimeout(retry);
    retry = setTimeout(connect, pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }

  setInterval(() => {
    if (source && performance.now() - heard > SILENCE) lose();
    tick();
  }, 250);
  setInterval(() => { if (linked && state) drawChart(); }, 1000);
  addEventListener("online", () => {
    if (linked) return;
    pause = 500;
    connect();
  });
  // Browsers open only six connections to a server, so a page that nobody sees gives its own back.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) {
      if (source) source.close();
      source = null;
      clearTimeout(retry);
    } else if (!source && !(state && state.status === "ended")) {
      connect();
    }
  });

  // Dialogs.

  function openDialog(id) {
    if (id === "editor") {
      get("inputs").replaceChildren();
      for (let n = 0; n < constants.keys; n++) {
        const label = element("label", get("inputs"), String(n + 1));
        const input = element("input", label);
        Object.assign(input, { type: "text", maxLength: 40, autocomplete: "off", value: state.marker_keys[n] || "" });
      }
    }
    get(id).showModal();
  }
  async function saveKeys() {
    const keys = all("#inputs input").map((input) => input.value);
    while (keys.length && !keys[keys.length - 1].trim()) keys.pop();
    if (await send({ command: "marker-keys", keys })) get("editor").close();
  }

  // Controls.

  for (const id of ["play", "stop", "skip", "previous", "like", "dislike", "exclude", "hold", "undo", "help"]) {
    get(id).addEventListener("click", actions[id]);
  }
  get("volume").addEventListener("input", sendVolume);
  get("limit").addEventListener("change", () => send({ command: "negative-limit", seconds: Number(get("limit").value) }));
  get("screen").addEventListener("click", () => send({ command: "screen", on: !state.shows_title_on_screen }));
  get("show-picture").addEventListener("click", () => send({ command: "picture", on: !state.shows_picture }));
  for (const button of all("[data-subject]")) {
    button.addEventListener("click", () => send({ command: "subject", subject: button.dataset.subject }));
  }
  for (const name of ["", ...NAMES]) {
    const button = element("button", get("moods"), name || "face");
    button.dataset.mood = name;
    press(button, false);
    button.addEventListener("click", () => send({ command: "mood", mood: name || null }));
  }
  get("begin").addEventListener("click", begin);
  get("cancel").addEventListener("click", endPreview);
  for (const [id, axis] of [["valence", 0], ["arousal", 1]]) {
    const choose = (isFinal) => {
      const point = [...target()];
      point[axis] = Number(get(id).value);
      chooseTarget(point, isFinal);
    };
    get(id).addEventListener("input", () => choose(false));
    get(id).addEventListener("change", () => choose(true));
  }
  const plane = get("plane");
  const pointOf = (event) => {
    const box = plane.getBoundingClientRect();
    const along = (at, from, size) => (at - from) / size * 2.06 - 1.03;
    return [along(event.clientX, box.left, box.width), -along(event.clientY, box.top, box.height)];
  };
  let dragging = null;
  plane.addEventListener("pointerdown", (event) => {
    if (!linked || !state || dragging !== null) return;
    dragging = event.pointerId;
    plane.setPointerCapture(event.pointerId);
    chooseTarget(pointOf(event), false);
  });
  plane.addEventListener("pointermove", (event) => { if (event.pointerId === dragging) chooseTarget(pointOf(event), false); });
  plane.addEventListener("pointerup", (event) => {
    if (event.pointerId !== dragging) return;
    dragging = null;
    chooseTarget(pointOf(event), true);
  });
  plane.addEventListener("pointercancel", (event) => {
    if (event.pointerId !== dragging) return;
    dragging = null;
    if (!previewing) chosen = null;
    drawPlane();
  });
  for (const { name, valence, arousal } of emotions) {
    svg("circle", { cx: valence, cy: -arousal, fill: colours[name] }, get("emotions"));
    const isLeft = valence > 0.6 || name === "angry";
    svg("text", { x: valence + (isLeft ? -0.08 : 0.08), y: -arousal + 0.035, "text-anchor": isLeft ? "end" : "start" }, get("emotions"), name);
  }

  get("note").addEventListener("input", () => {
    if (!get("note").value) noteBegan = 0;
    else if (!noteBegan) noteBegan = performance.now();
  });
  get("note").addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) markNote();
    if (event.key === "Escape") get("note").blur();
  });
  get("mark").addEventListener("click", markNote);
  get("edit").addEventListener("click", () => openDialog("editor"));
  get("save").addEventListener("click", saveKeys);
  get("discard").addEventListener("click", () => get("editor").close());
  get("close").addEventListener("click", () => get("keyboard").close());

  // Keys.

  const SHORTCUTS = [
    ["Space", " ", "play", "pause or play"], ["N", "n", "skip", "skip"], ["P", "p", "previous", "previous"],
    ["H", "h", "hold", "hold the music"], ["L", "l", "like", "like"], ["D", "d", "dislike", "dislike"],
    ["X", "x", "exclude", "exclude"], ["+", "+", "louder", "louder"], ["\u2212", "-", "softer", "softer"],
    ["M", "m", "note", "write a marker"], ["U", "u", "undo", "undo, also Ctrl+Z"], ["?", "?", "help", "this list"],
  ];
  for (const [shown, , , words] of [...SHORTCUTS, ["1\u20139", "", "", "markers with a key"], ["Shift+S", "", "", "stop"]]) {
    const item = element("div", get("shortcuts"));
    element("kbd", item, shown);
    item.append(" " + words);
  }
  let usesKeys = true;
  get("single").addEventListener("click", () => {
    usesKeys = !usesKeys;
    press(get("single"), usesKeys);
  });
  addEventListener("keydown", (event) => {
    const within = event.target instanceof Element ? event.target : document.body;
    if (document.querySelector("dialog[open]") || within.closest("input[type=text], select")) return;
    if ((event.ctrlKey || event.metaKey) && event.key === "z" && !get("undo").disabled) {
      event.preventDefault();
      actions.undo();
      return;
    }
    if (!usesKeys || event.ctrlKey || event.metaKey || event.altKey || event.repeat) return;
    // A button that has the focus takes the space bar itself.
    if (event.key === " " && within.closest("button, input")) return;
    const digit = Number(event.key);
    if (digit >= 1 && digit <= 9 && state && state.marker_keys[digit - 1]) {
      event.preventDefault();
      mark(state.marker_keys[digit - 1], 0);
      return;
    }
    if (event.key === "S" && event.shiftKey) {
      actions.stop();
      return;
    }
    const shortcut = SHORTCUTS.find(([, key]) => key === event.key);
    if (!shortcut) return;
    const button = document.getElementById(shortcut[2]);
    if (button && button.disabled) return;
    event.preventDefault();
    actions[shortcut[2]]();
  });

  // The legend.
  for (const name of STACK) {
    const item = element("li", get("key"));
    svg("rect", { width: 10, height: 10, x: 2, fill: colours[name], class: "hash" }, svg("svg", { viewBox: "0 0 14 10", "aria-hidden": true }, item));
    item.append(name);
  }
  for (const [name, style] of [["valence", "v"], ["arousal", "a"]]) {
    const item = element("li", get("key"));
    svg("line", { x1: 0, x2: 20, y1: 5, y2: 5, class: style }, svg("svg", { viewBox: "0 0 20 10", "aria-hidden": true }, item));
    item.append(name);
  }
  connect();
})();
