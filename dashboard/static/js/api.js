// Reads from the server, and only reads.

export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

export async function read(path) {
  let response;
  try {
    response = await fetch(path, { headers: { accept: "application/json" }, signal: AbortSignal.timeout(15000) });
  } catch (error) {
    throw new Refused(0, error.name === "TimeoutError" ? "The server does not answer in time." : "The server cannot be reached.");
  }
  if (response.status === 401) {
    location.assign(`/login${location.hash}`);
    throw new Refused(401, "Signed out.");
  }
  const body = await response.json().catch(() => ({}));
  if (!response.ok) {
    const said = body.message ?? body.detail;
    throw new Refused(response.status, typeof said === "string" ? said : `The server answered ${response.status}.`);
  }
  return body;
}

export async function signOut() {
  await fetch("/logout", { method: "POST" });
  location.assign("/login");
}
