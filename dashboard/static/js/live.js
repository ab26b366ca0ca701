// The event stream: resumes after the last event that was seen, whatever was cut in between.

const SILENCE_MS = 40000;
const RETRY_MS = 2000;
const RETRY_MAX_MS = 30000;

export class Live {
  // `on`: state(text, tone), event(record), resync().
  constructor(on) {
    this.on = on;
    this.last = null;
    this.source = null;
    this.retryMs = RETRY_MS;
    this.timer = null;
    this.watchdog = null;
  }

  start(sequence) {
    this.last = sequence;
    this.open();
  }

  open() {
    this.source?.close();
    clearTimeout(this.timer);
    const source = this.source = new EventSource(`/events?after=${this.last}`);
    const heard = (type, listener) => source.addEventListener(type, (message) => {
      if (source !== this.source) return;
      this.watch();
      listener(message);
    });
    heard("hello", () => { this.retryMs = RETRY_MS; this.on.state("live", "good"); });
    heard("heartbeat", ({ data }) => this.on.state(data ? "data is not read" : "live", data ? "bad" : "good"));
    heard("resync", () => { source.close(); this.on.state("loading anew", "warn"); this.on.resync(); });
    heard("stage", ({ data, lastEventId }) => {
      this.last = Number(lastEventId);
      this.on.state("live", "good");
      this.on.event(JSON.parse(data));
    });
    source.addEventListener("error", () => {
      if (source !== this.source) return;
      this.on.state("reconnecting", "warn");
      // The browser tries again by itself after a cut, but not after an answer such as 503.
      if (source.readyState === EventSource.CLOSED) this.later();
    });
    this.watch();
  }

  // A connection that died without a word is noticed by the missing heartbeat.
  watch() {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => { this.on.state("reconnecting", "warn"); this.open(); }, SILENCE_MS);
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), this.retryMs);
    this.retryMs = Math.min(this.retryMs * 2, RETRY_MAX_MS);
  }
}
