// A link from another site comes without the strict cookie although the person is signed in: try once from here.

const form = document.querySelector("form");
form.action += location.hash;

if (!document.querySelector("[role=alert]")) {
  const session = await fetch("/api/session").then((answer) => answer.json()).catch(() => null);
  if (session?.signed_in) location.replace(`/${location.hash}`);
}
