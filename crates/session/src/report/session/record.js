"use strict";
// The session's data: what is known of a time, and in words.

function makeRecord(data) {
  const bytes = Uint8Array.from(atob(data.values), (letter) => letter.charCodeAt(0));
  const WIDTH = 9, NONE = 255;
  const two = (n) => String(n).padStart(2, "0");

  // A time as m:ss or h:mm:ss, with tenths where a session is short or looked at closely.
  function stamp(t, tenths = data.seconds < 120) {
    const all = Math.floor(t * 10 + 1e-6), s = Math.floor(all / 10), h = Math.floor(s / 3600), m = Math.floor(s / 60) % 60;
    return (h ? h + ":" + two(m) : m) + ":" + two(s % 60) + (tenths ? "." + all % 10 : "");
  }

  // Mean probabilities (0 to 1), valence and arousal over a time; null where nobody was found.
  function mean(from, to) {
    const last = data.bins - 1, scale = data.bins / data.seconds;
    const first = Math.min(Math.max(Math.floor(from * scale), 0), last);
    const end = Math.min(Math.max(Math.ceil(to * scale), first + 1), data.bins);
    const sums = new Array(WIDTH).fill(0);
    let count = 0;
    for (let bin = first; bin < end; bin++) {
      if (bytes[bin * WIDTH] === NONE) continue;
      for (let i = 0; i < WIDTH; i++) sums[i] += bytes[bin * WIDTH + i];
      count++;
    }
    if (!count) return null;
    return { probabilities: sums.slice(0, 7).map((sum) => sum / count / 100), valence: sums[7] / count / 100 - 1,
      arousal: sums[8] / count / 100 - 1 };
  }

  const within = (list, t) => list.find(([from, to]) => t >= from && t < to);
  const signed = (n) => (n < 0 ? "\u2212" : "+") + Math.abs(n).toFixed(2);

  // What there is to say about a moment, the time first.
  function words(t) {
    const said = [stamp(t)];
    if (data.bins) {
      const found = mean(t, t);
      if (found) {
        const order = data.emotions.map((name, i) => [found.probabilities[i], name]).sort((a, b) => b[0] - a[0]);
        said.push(order.slice(0, 3).filter(([p]) => p >= 0.005).map(([p, name]) => name + " " + Math.round(p * 100) + " %").join(", "));
        said.push("valence " + signed(found.valence) + ", arousal " + signed(found.arousal));
      } else {
        said.push(data.name + " not found");
      }
      const episode = within(data.episodes, t);
      if (episode) said.push(episode[2] + " from " + stamp(episode[0], true) + " to " + stamp(episode[1], true));
    }
    const mood = within(data.moods, t), track = within(data.tracks, t);
    if (mood) said.push("mood " + mood[2]);
    if (track) said.push("\u266a " + track[2]);
    const mark = data.marks.find(([at]) => Math.abs(at - t) <= 1);
    if (mark) said.push("marked: " + mark[1]);
    return said;
  }

  return { mean, words, stamp, within };
}
