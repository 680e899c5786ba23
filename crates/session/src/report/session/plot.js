// The chart, drawn for the width of the page and the part of the session that is looked at.

function makePlot(data, record, picture, slider, onLook, onGo) {
  const canvas = document.createElement("canvas");
  const [lookLine, nowLine] = ["look", "now"].map((name) => {
    const line = document.createElement("div");
    line.className = "cursor " + name;
    return line;
  });
  picture.append(canvas, lookLine, nowLine);
  picture.removeAttribute("tabindex");
  const context = canvas.getContext("2d");
  const MIN_SPAN = Math.min(data.seconds, 2);
  let from = 0, to = data.seconds, now = 0, look = null, plot = null;

  const lanes = [
    ["shown", data.episodes.filter((episode) => episode[2] !== "neutral").map(([a, b, label]) => [a, b, label, label])],
    ["mood", data.moods],
    ["music", data.tracks],
    ["marked", data.marks],
  ].filter(([, items]) => items.length);

  const x = (t) => plot.left + (t - from) / (to - from) * plot.width;
  const time = (px) => from + (px - plot.left) / plot.width * (to - from);

  function layout() {
    const width = Math.max(picture.clientWidth, 200), narrow = width < 560;
    const left = narrow ? 54 : 66, lane = narrow ? 26 : 32;
    const stack = data.bins ? (narrow ? 120 : 190) : 0, affect = data.bins ? (narrow ? 96 : 140) : 0;
    plot = { left, width: width - left - 8, stack, affect, lane, narrow, lanes: stack + affect + 8,
      height: stack + affect + lanes.length * lane + 38, canvas: width };
    const scale = window.devicePixelRatio || 1;
    // The slider has the scale of the whole session.
    slider.style.marginLeft = left - 8 + "px";
    slider.style.width = plot.width + 16 + "px";
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(plot.height * scale);
    canvas.style.width = width + "px";
    canvas.style.height = plot.height + "px";
    context.setTransform(scale, 0, 0, scale, 0, 0);
  }

  function drawCurves(theme) {
    const { left, width, stack, affect } = plot;
    const top = 8, low = stack, middle = stack + 14 + (affect - 24) / 2, half = (affect - 24) / 2;
    context.textAlign = "right";
    for (const [share, text] of [[0, "0 %"], [0.5, "50 %"], [1, "100 %"]]) {
      const y = low - share * (low - top);
      rule(y, theme);
      context.fillStyle = theme.ink;
      context.fillText(text, left - 6, y);
    }
    for (const [value, text] of [[-1, "\u22121"], [0, "0"], [1, "+1"]]) {
      rule(middle - value * half, theme);
      context.fillStyle = theme.ink;
      context.fillText(text, left - 6, middle - value * half);
    }
    const means = [];
    for (let px = 0; px < width; px++) {
      const found = record.mean(time(left + px), time(left + px + 1));
      means.push(found);
      if (!found) continue;
      let y = low;
      for (const index of data.order) {
        const height = found.probabilities[index] * (low - top);
        context.fillStyle = data.colors[data.emotions[index]];
        context.fillRect(left + px, y - height, 1.5, height);
        y -= height;
      }
    }
    for (const [name, color, dash] of [["valence", theme.blue, []], ["arousal", theme.red, [7, 4]]]) {
      context.strokeStyle = color;
      context.lineWidth = 2;
      context.setLineDash(dash);
      context.beginPath();
      let drawn = false;
      means.forEach((found, px) => {
        if (found) context[drawn ? "lineTo" : "moveTo"](left + px + 0.5, middle - found[name] * half);
        drawn = !!found;
      });
      context.stroke();
      context.setLineDash([]);
    }
  }

  function rule(y, theme) {
    context.fillStyle = theme.line;
    context.fillRect(plot.left, Math.round(y), plot.width, 1);
  }

  const isPale = (mood) => mood === "uncertain" || mood === "absent";
  const fill = (mood, theme) => (isPale(mood) ? theme[mood] : data.colors[mood]);
  function ink(mood, theme) {
    if (isPale(mood)) return theme.ink;
    const [r, g, b] = [1, 3, 5].map((i) => parseInt(data.colors[mood].slice(i, i + 2), 16));
    return 0.3 * r + 0.59 * g + 0.11 * b > 120 ? "#000" : "#fff";
  }

  function writeWithin(text, px, y, width) {
    if (width < 24) return;
    let shown = text;
    while (shown.length > 2 && context.measureText(shown).width > width) shown = shown.slice(0, shown.endsWith("\u2026") ? -2 : -1) + "\u2026";
    if (shown.length > 2) context.fillText(shown, px, y);
  }

  // Bars whose ends can be told apart; where most cannot, in each few pixels the one that takes the most time, as high as its share.
  function drawBars(items, y, height, theme) {
    const BIN = 5, perPixel = (to - from) / plot.width;
    const visible = items.filter(([a, b]) => b > from && a < to);
    if (visible.filter(([a, b]) => b - a < 3 * perPixel).length <= visible.length / 5) {
      for (const [a, b, text, mood] of visible) {
        const begin = Math.max(x(a), plot.left), end = Math.min(x(b), plot.left + plot.width);
        context.fillStyle = fill(mood, theme);
        context.fillRect(begin, y, Math.max(end - begin - 1, 1), height);
        context.fillStyle = ink(mood, theme);
        context.textAlign = "left";
        writeWithin(text, begin + 5, y + height / 2, end - begin - 10);
      }
      return;
    }
    let first = 0;
    for (let px = plot.left; px < plot.left + plot.width; px += BIN) {
      const begin = time(px), end = time(px + BIN), times = {};
      while (first < visible.length && visible[first][1] <= begin) first++;
      for (let i = first; i < visible.length && visible[i][0] < end; i++) {
        const [a, b, , mood] = visible[i];
        times[mood] = (times[mood] || 0) + Math.min(b, end) - Math.max(a, begin);
      }
      const [mood, longest] = Object.entries(times).sort((one, other) => other[1] - one[1])[0] || [];
      if (!mood) continue;
      const share = Math.max(longest / (end - begin) * height, 2);
      context.fillStyle = fill(mood, theme);
      context.fillRect(px, y + height - share, BIN, share);
    }
  }

  function drawMarks(items, y, height, theme) {
    context.fillStyle = theme.ink;
    context.textAlign = "left";
    items.forEach(([at, text], index) => {
      if (at < from || at > to) return;
      const next = index + 1 < items.length ? Math.min(x(items[index + 1][0]), plot.left + plot.width) : plot.left + plot.width;
      context.fillRect(Math.round(x(at)) - 1, y, 2, height);
      writeWithin(text, x(at) + 5, y + height / 2, next - x(at) - 8);
    });
  }

  function drawAxis(theme) {
    const y = plot.height - 30, span = to - from;
    const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400];
    const step = steps.find((step) => step / span * plot.width >= 70) || span;
    context.fillStyle = theme.ink;
    context.fillRect(plot.left, y, plot.width, 1);
    context.textAlign = "center";
    for (let tick = Math.ceil(from / step); tick * step <= to + 1e-9; tick++) {
      const px = x(tick * step);
      context.fillRect(Math.round(px), y, 1, 5);
      if (px <= plot.left + plot.width - 14) context.fillText(record.stamp(tick * step, step < 1), px, y + 14);
    }
    if (span < data.seconds) {
      context.fillStyle = theme.line;
      context.fillRect(plot.left, y + 25, plot.width, 4);
      context.fillStyle = theme.blue;
      context.fillRect(plot.left + from / data.seconds * plot.width, y + 25, Math.max(span / data.seconds * plot.width, 4), 4);
    }
  }

  function draw() {
    layout();
    const style = getComputedStyle(document.documentElement), theme = {};
    for (const name of ["ink", "line", "blue", "red", "uncertain", "absent"]) theme[name] = style.getPropertyValue("--" + name).trim();
    context.clearRect(0, 0, plot.canvas, plot.height);
    context.font = (plot.narrow ? 11 : 13) + "px system-ui, sans-serif";
    context.textBaseline = "middle";
    if (data.bins) drawCurves(theme);
    lanes.forEach(([name, items], index) => {
      const y = plot.lanes + index * plot.lane;
      context.fillStyle = theme.ink;
      context.textAlign = "right";
      context.fillText(name, plot.left - 6, y + plot.lane / 2 - 3);
      (name === "marked" ? drawMarks : drawBars)(items, y, plot.lane - 6, theme);
    });
    drawAxis(theme);
    place();
    document.getElementById("shown-part").textContent =
      to - from < data.seconds ? record.stamp(from, to - from < 60) + " to " + record.stamp(to, to - from < 60) : "";
  }

  // The lines at the moment of the film and at that under the pointer.
  function place() {
    for (const [line, t] of [[nowLine, now], [lookLine, look]]) {
      line.hidden = t === null || t < from || t > to;
      if (!line.hidden) line.style.transform = "translateX(" + x(t) + "px)";
      line.style.height = plot.height - 30 + "px";
    }
  }

  function show(begin, span) {
    span = Math.min(Math.max(span, MIN_SPAN), data.seconds);
    from = Math.min(Math.max(begin, 0), data.seconds - span);
    to = from + span;
    draw();
  }

  function zoom(factor, at = now >= from && now <= to ? now : (from + to) / 2) {
    const span = Math.min(Math.max((to - from) * factor, MIN_SPAN), data.seconds);
    show(at - (at - from) / (to - from) * span, span);
  }

  const pan = (share) => show(from + share * (to - from), to - from);

  // A moment that goes on being shown.
  function setNow(t, follow) {
    now = t;
    if (follow && (t < from || t > to)) show(t - (to - from) / 10, to - from);
    else place();
  }

  const pointers = new Map();
  let moved = false;
  const local = (event) => event.clientX - picture.getBoundingClientRect().left;
  const clamp = (t) => Math.min(Math.max(t, 0), data.seconds);

  picture.addEventListener("pointerdown", (event) => {
    if (event.pointerType === "mouse" && event.button !== 0) return;
    pointers.set(event.pointerId, local(event));
    moved = pointers.size > 1;
    picture.setPointerCapture(event.pointerId);
  });
  picture.addEventListener("pointermove", (event) => {
    const px = local(event), before = pointers.get(event.pointerId);
    if (before === undefined || event.pointerType === "mouse" && !event.buttons) {
      look = clamp(time(px));
      place();
      onLook(look);
      return;
    }
    const others = [...pointers].filter(([id]) => id !== event.pointerId);
    if (!moved && Math.abs(px - before) < 5) return;
    moved = true;
    if (others.length) {
      const other = others[0][1], spread = Math.max(Math.abs(px - other), 10) / Math.max(Math.abs(before - other), 10);
      zoom(1 / spread, time((px + other) / 2));
    } else {
      show(from - (px - before) / plot.width * (to - from), to - from);
    }
    pointers.set(event.pointerId, px);
  });
  const release = (event) => {
    if (!pointers.delete(event.pointerId) || pointers.size || moved || event.type === "pointercancel") return;
    // A marker is a line of two pixels.
    const px = local(event), near = data.marks.find(([at]) => Math.abs(x(at) - px) <= 6);
    const y = event.clientY - picture.getBoundingClientRect().top;
    const marked = lanes.findIndex(([name]) => name === "marked");
    const isMarked = near && marked >= 0 && y >= plot.lanes + marked * plot.lane && y < plot.lanes + (marked + 1) * plot.lane;
    onGo(clamp(isMarked ? near[0] : time(px)));
  };
  picture.addEventListener("pointerup", release);
  picture.addEventListener("pointercancel", release);
  picture.addEventListener("pointerleave", () => { look = null; place(); onLook(null); });
  picture.addEventListener("wheel", (event) => {
    if (event.ctrlKey || event.metaKey) zoom(Math.exp(Math.min(Math.max(event.deltaY, -200), 200) / 300), clamp(time(local(event))));
    else if (Math.abs(event.deltaX) > Math.abs(event.deltaY) && to - from < data.seconds) pan(event.deltaX / plot.width);
    else return;
    event.preventDefault();
  }, { passive: false });

  new ResizeObserver(draw).observe(picture);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  draw();
  return { zoom, pan, setNow, all: () => show(0, data.seconds) };
}
